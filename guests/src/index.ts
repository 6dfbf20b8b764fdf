export { createSeedIso } from './create-seed-iso.ts';
export { type DemoGuest, type EnsureDemoGuestOptions, ensureDemoGuest, findDemoGuest } from './ensure-demo-guest.ts';
export { formatSeed, type Seed, type SeedInterface } from './seed.ts';
