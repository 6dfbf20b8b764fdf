export type {
  HostDialer,
  HostLink,
  HostNews,
  HostTarget,
  HostUpdate,
  RunOptions,
} from './host-link/host-link.ts';
export { HostUnreachable } from './host-link/host-link.ts';
export { VimHostLink } from './host-link/vim-host-link.ts';
export { openVpxd, type Vpxd, type VpxdOptions } from './vpxd.ts';
