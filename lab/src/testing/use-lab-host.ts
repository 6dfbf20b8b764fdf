// The one host of a test file.
import { type LabHost, startLabHost } from './lab-host.ts';
import { useStarted } from './use-started.ts';

/** Why scenarios that need namespaces, taps and mounts are skipped; `false` when they are not. */
export const needsRoot = process.getuid?.() === 0 ? false : 'not run: this needs root';

/** Call it inside `describe`. */
export function useLabHost(): () => LabHost {
  return useStarted(() => startLabHost(), 'the host', 'hostd');
}
