export { faultOf, VimClient } from './client.ts';
export type { TransportOptions, Trust } from './transport.ts';
