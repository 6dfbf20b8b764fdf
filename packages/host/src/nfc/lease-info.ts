// HttpNfcLease.info: where the disks of a new VM are sent to. Pure.
import { type HttpNfcLeaseInfo, type MoRef, make } from '@vivarium/vim';
import type { ImportDisk } from './import-disks.ts';

export const LEASE_TIMEOUT_SECONDS = 300;

export interface LeaseFacts {
  readonly lease: MoRef<'HttpNfcLease'>;
  /** Secret part of the URLs. */
  readonly token: string;
  readonly vm: MoRef<'VirtualMachine'>;
  readonly disks: readonly ImportDisk[];
  /** Where clients reach the daemon; the host part of URLs is theirs to fill in. */
  readonly endpoint: { readonly port: number; readonly sslThumbprint: string };
}

export function leaseInfo({ lease, token, vm, disks, endpoint }: LeaseFacts): HttpNfcLeaseInfo {
  const { port, sslThumbprint } = endpoint;
  // Clients put the host that they know in the place of `*`; those that do so by text keep the port.
  const base = `https://*${port === 443 ? '' : `:${port}`}/nfc/${token}`;
  return make('HttpNfcLeaseInfo', {
    lease,
    entity: vm,
    deviceUrl: disks.map(({ importKey, deviceKey, fileName, path }) =>
      make('HttpNfcLeaseDeviceUrl', {
        key: `/${vm.value}/${deviceKey}`,
        importKey,
        url: `${base}/${fileName}`,
        sslThumbprint,
        disk: true,
        targetId: fileName,
        datastoreKey: /^\[([^\]]*)\]/.exec(path)?.[1],
      }),
    ),
    totalDiskCapacityInKB: disks.reduce((sum, { capacityBytes }) => sum + capacityBytes / 1024, 0),
    leaseTimeout: LEASE_TIMEOUT_SECONDS,
  });
}
