// Brings what tests run with: the VMM runtime, the demo guest, and the clients under test, each in its place in the cache.
import { silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { ensureDemoGuest } from '@vivarium/guests';
import { ensureRuntime } from '@vivarium/qemu';
import { installClients } from './clients/install-clients.ts';
import { pyvmomiPython } from './clients/pyvmomi.ts';
import { labCache } from './testing/lab-cache.ts';

/** Resolves with the variables by which unit tests find all that: without it they skip what needs it. */
export async function prepare(say: (text: string) => void): Promise<Readonly<Record<string, string>>> {
  const common = { cacheDir: labCache(), clock: systemClock, log: silentLogger };
  let shown = '';
  const progress = (text: string) => {
    if (text !== shown) say(`  ${text}`);
    shown = text;
  };
  const runtime = await ensureRuntime({ ...common, progress });
  await ensureDemoGuest({ ...common, progress });
  for (const { name, state, detail } of await installClients(progress)) say(`client ${name}: ${state} (${detail})`);
  return {
    VIVARIUM_CACHE: labCache(),
    VIVARIUM_RUNTIME: runtime.path,
    VIVARIUM_PYTHON: pyvmomiPython('9.0.0.0'),
  };
}
