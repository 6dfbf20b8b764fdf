// A simulator for tests: in this process, on loopback.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { parseFlags, type SimFlags, type SimOptions } from '@vivarium/sim';

export interface LabSim extends AsyncDisposable {
  readonly port: number;
  /** Variables for govc and its kin. */
  readonly env: Readonly<Record<string, string>>;
  /** A folder that is gone after the tests. */
  readonly stateDir: string;
}

interface StartedSim {
  /** `https://user:pass@127.0.0.1:8989/sdk`. */
  readonly url: string;
  close(): Promise<void>;
}

/** `start`: startSim or startEsx; `account`: the only one that may log in. */
export async function startLabSim(
  start: (flags: SimFlags, options: SimOptions) => Promise<StartedSim>,
  account: { readonly userName: string; readonly password: string },
  flags: readonly string[],
): Promise<LabSim> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'viv-lab-sim-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  const { userName, password } = account;
  const own = ['-l', '127.0.0.1:0', '-username', userName, '-password', password];
  const sim = await start(parseFlags([...own, ...flags]), {
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    version: '0.0.0',
    folder,
    progress: () => undefined,
  });
  undo.defer(() => sim.close());
  const { protocol, port, search } = new URL(sim.url);
  const env = {
    GOVC_URL: `${protocol}//127.0.0.1:${port}/sdk${search}`,
    GOVC_USERNAME: userName,
    GOVC_PASSWORD: password,
    GOVC_INSECURE: 'true',
  };
  const stack = undo.move();
  return { port: Number(port), env, stateDir: folder, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
