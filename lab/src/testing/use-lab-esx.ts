// The simulated ESXi host of a test file.
import { startEsx } from '@vivarium/sim/esx';
import { type LabSim, startLabSim } from './lab-sim.ts';
import { useStarted } from './use-started.ts';

/** Call it inside `describe`. */
export function useLabEsx(...flags: string[]): () => LabSim {
  const account = { userName: 'root', password: 'Simulated-1' };
  return useStarted(() => startLabSim(startEsx, account, ['-esx', ...flags]), 'the simulated host');
}
