// What the tests of the datastore folders share. Not for shipped code.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { Datastore } from './datastore.ts';

/** A directory of its own, removed at the end of the test. */
export async function scratch(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'viv-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A datastore in `parent`/`name`, whose timers fire only when the test says so. */
export function makeDatastore(
  parent: string,
  name = 'datastore1',
  setTimer: (delayMs: number, fire: () => void) => void = () => undefined,
): Promise<Datastore> {
  const clock = {
    ...systemClock,
    setTimer(delayMs: number, fire: () => void) {
      setTimer(delayMs, fire);
      return { cancel: () => undefined };
    },
  };
  return Datastore.open({ name, root: join(parent, name), clock, random: systemRandom, log: silentLogger });
}
