// The simulated vCenter of a test file, with vcsim's default inventory.
import { startSim } from '@vivarium/sim';
import { type LabSim, startLabSim } from './lab-sim.ts';
import { useStarted } from './use-started.ts';

export const SIM_USER = 'administrator@vivarium.local';
export const SIM_PASSWORD = 'Simulated-1';

/** Call it inside `describe`. */
export function useLabSim(...flags: string[]): () => LabSim {
  const account = { userName: SIM_USER, password: SIM_PASSWORD };
  return useStarted(() => startLabSim(startSim, account, flags), 'the simulator');
}
