// The one vCenter of a test file, over a number of hosts.
import { type LabCenter, startLabCenter } from './lab-center.ts';
import { useStarted } from './use-started.ts';

/** Call it inside `describe`. */
export function useLabCenter(hosts: number): () => LabCenter {
  return useStarted(() => startLabCenter(hosts), 'vCenter', 'vpxd');
}
