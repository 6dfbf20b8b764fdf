// Names of the network devices that there are.
import { readFileSync } from 'node:fs';
import type { NetworkNamespace } from './network-namespace.ts';

/** Device names in the namespace; without one, in the machine's own network. */
export function listDevices(namespace?: NetworkNamespace): string[] {
  // /proc/net would show the process's namespace, not the thread's.
  const read = () => readFileSync('/proc/thread-self/net/dev', 'utf8');
  const text = namespace ? namespace.run(read) : read();
  return text
    .split('\n')
    .slice(2)
    .flatMap((line) => (line.includes(':') ? [line.slice(0, line.indexOf(':')).trim()] : []));
}
