// Names of VMs and of the files that are named after them.
import { MethodFault } from '@vivarium/vim';

const MAX_NAME = 80;

/**
 * The name as the inventory keeps it: `/`, `\` and `%` as `%2f`, `%5c`, `%25` (an escape that the client wrote already stays).
 * Throws InvalidName when it is empty, longer than 80 characters, or holds control characters.
 */
export function canonicalName(name: string): string {
  const escaped = name
    .replace(/%(?!2f|5c|25)/gi, '%25')
    .replaceAll('/', '%2f')
    .replaceAll('\\', '%5c');
  const shown = escaped.replace(/%(2f|5c|25)/gi, '?');
  if (shown.trim() === '' || shown.length > MAX_NAME || /\p{Cc}|\p{Cs}/u.test(name)) {
    throw new MethodFault('InvalidName', { name });
  }
  return escaped;
}

/** A file name that holds the VM's name as well as file names can. */
export function fileNameOf(name: string): string {
  const plain = name
    .replace(/%(2f|5c|25)/gi, '_')
    .replace(/[/\\:*?"<>|[\]]/g, '_')
    .replace(/^[.\s-]+/, '_')
    .trim();
  return plain === '' ? 'vm' : plain;
}
