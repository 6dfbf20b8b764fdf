// Who takes a disk that comes by vCenter's /nfc: the host that has the VM. The bytes go on to it, streamed.
import type { Logger } from '@vivarium/base';
import { MethodFault } from '@vivarium/vim';
import type { NfcReceiver } from '@vivarium/vmomi';
import type { Imports } from './imports.ts';

export function nfcReceivers({
  imports,
  log,
}: {
  readonly imports: Imports;
  readonly log: Logger;
}): (lease: string, file: string) => NfcReceiver | undefined {
  return (lease, file) => {
    const target = imports.find(lease)?.targetOf(file);
    if (!target) return undefined;
    return async ({ body, lengthBytes, signal }) => {
      try {
        const answer = await target.link.nfc({
          lease: target.lease,
          file,
          headers: lengthBytes === undefined ? {} : { 'content-length': String(lengthBytes) },
          body,
          signal: AbortSignal.any([target.signal, signal]),
        });
        answer.body.resume();
        return answer.status;
      } catch (error) {
        if (error instanceof MethodFault) throw error;
        log.info({ err: error }, 'a disk transfer broke off');
        return 502;
      }
    };
  };
}
