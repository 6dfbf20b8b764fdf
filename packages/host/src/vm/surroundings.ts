// What of a host's storage and network the translators of configurations look at.
import { existsSync } from 'node:fs';
import type { NetworkProvider } from '../network/provider.ts';
import { networkRef } from '../network-object/network-objects.ts';
import type { Storage } from '../storage.ts';
import type { VmHost } from './vm-host.ts';

export function surroundingsOf(
  { datastores, disks, paths }: Pick<Storage, 'datastores' | 'disks' | 'paths'>,
  network: Pick<NetworkProvider, 'portGroups'>,
): ReturnType<VmHost['surroundings']> {
  return {
    datastores: datastores.list().map(({ name, ref, url, uuid }) => ({ name, ref, url, volumeNames: [uuid] })),
    networks: network.portGroups().map(({ name }) => ({ name, ref: networkRef(name) })),
    findDisk: (path) => disks.findDisk(path),
    exists: (path) => existsSync(paths.resolve(path)),
  };
}
