// The simulated ESXi host of a test file: in this process, on loopback.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { parseFlags } from '@vivarium/sim';
import { type SimEsx, startEsx } from '@vivarium/sim/esx';
import type { LabSim } from './use-lab-sim.ts';

/** Call it inside `describe`. */
export function useLabEsx(...flags: string[]): () => LabSim {
  let folder = '';
  let host: SimEsx | undefined;
  let lab: LabSim | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'viv-lab-esx-'));
    const account = ['-username', 'root', '-password', 'Simulated-1'];
    host = await startEsx(parseFlags(['-esx', '-l', '127.0.0.1:0', ...account, ...flags]), {
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      version: '0.0.0',
      folder,
      progress: () => undefined,
    });
    const { port } = new URL(host.url);
    const env = {
      GOVC_URL: `https://127.0.0.1:${port}/sdk`,
      GOVC_USERNAME: 'root',
      GOVC_PASSWORD: 'Simulated-1',
      GOVC_INSECURE: 'true',
    };
    lab = { port: Number(port), env, stateDir: folder };
  });
  after(async () => {
    await host?.close();
    if (folder !== '') await rm(folder, { recursive: true, force: true });
  });
  return () => {
    if (!lab) throw new Error('the simulated host did not come up');
    return lab;
  };
}
