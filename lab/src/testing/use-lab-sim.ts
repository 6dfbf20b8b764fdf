// The simulated vCenter of a test file: in this process, on loopback, with vcsim's default inventory.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { parseFlags, type Sim, startSim } from '@vivarium/sim';

export interface LabSim {
  readonly port: number;
  /** Variables for govc and its kin. */
  readonly env: Readonly<Record<string, string>>;
  /** A folder that is gone after the tests. */
  readonly stateDir: string;
}

export const SIM_USER = 'administrator@vivarium.local';
export const SIM_PASSWORD = 'Simulated-1';

/** Call it inside `describe`. */
export function useLabSim(...flags: string[]): () => LabSim {
  let folder = '';
  let sim: Sim | undefined;
  let lab: LabSim | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'viv-lab-sim-'));
    const account = ['-username', SIM_USER, '-password', SIM_PASSWORD];
    sim = await startSim(parseFlags(['-l', '127.0.0.1:0', ...account, ...flags]), {
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      version: '0.0.0',
      folder,
      progress: () => undefined,
    });
    const { port } = new URL(sim.url);
    const env = {
      GOVC_URL: `https://127.0.0.1:${port}/sdk`,
      GOVC_USERNAME: SIM_USER,
      GOVC_PASSWORD: SIM_PASSWORD,
      GOVC_INSECURE: 'true',
    };
    lab = { port: Number(port), env, stateDir: folder };
  });
  after(async () => {
    await sim?.close();
    if (folder !== '') await rm(folder, { recursive: true, force: true });
  });
  return () => {
    if (!lab) throw new Error('the simulator did not come up');
    return lab;
  };
}
