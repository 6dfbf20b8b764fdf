export { type BuiltSwitch, type CenterBuilder, centerBuilder, type HostToBuild } from './center-builder.ts';
export { type CenterRecords, centerRecords, type SwitchToTake } from './center-records.ts';
export { ensureAuthority, ensureCertificates } from './certificates/certificate-authority.ts';
export { switchUuid } from './distributed-switch/hidden-network.ts';
export { type Door, openDoors } from './doors.ts';
export { CHILD_TYPES, ROOT_FOLDER } from './folder/create-entity.ts';
export type {
  FolderAnswer,
  FolderRequest,
  HostDialer,
  HostLink,
  HostNews,
  HostTarget,
  HostUpdate,
  NfcRequest,
  RunOptions,
} from './host-link/host-link.ts';
export { HostUnreachable } from './host-link/host-link.ts';
export { VimHostLink } from './host-link/vim-host-link.ts';
export { escapeName } from './inventory/entity-name.ts';
export type { EntityRecord } from './inventory/entity-records.ts';
export type { InventoryOp } from './inventory/inventory.ts';
export { openSdkTunnel, type SdkTunnel } from './sdk-tunnel/sdk-tunnel.ts';
export { joinDomain } from './sso/join-domain.ts';
export { SsoDomain } from './sso/sso-domain.ts';
export { openVpxd, type Vpxd, type VpxdOptions } from './vpxd.ts';
export { type CenterWeb, openCenterWeb } from './web.ts';
