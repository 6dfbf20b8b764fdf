export { type DemoGuest, type EnsureDemoGuestOptions, ensureDemoGuest } from './ensure-demo-guest.ts';
