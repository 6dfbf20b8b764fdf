// Who takes a disk that comes by /nfc: the lease that waits for it.
import { addAbortSignal } from 'node:stream';
import type { NfcReceiver } from '@vivarium/vmomi';
import type { VirtualDisks } from '../virtual-disk-manager/virtual-disks.ts';
import type { Imports } from './imports.ts';
import { receiveDisk } from './receive-disk.ts';

export function nfcReceivers(
  imports: Pick<Imports, 'find'>,
  { context }: VirtualDisks,
): (lease: string, file: string) => NfcReceiver | undefined {
  return (leaseToken, file) => {
    const lease = imports.find(leaseToken);
    const disk = lease?.findDisk(file);
    if (!lease || !disk) return undefined;
    return async ({ body, lengthBytes }) => {
      const place = context.datastores.locate(disk.path);
      const touch = () => lease.touch();
      const { signal } = lease;
      await lease.transfer(() =>
        receiveDisk(context, place, {
          body: addAbortSignal(signal, body),
          lengthBytes,
          onBytes: touch,
          onProgress: touch,
          signal,
        }),
      );
      return 200;
    };
  };
}
