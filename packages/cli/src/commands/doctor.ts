// viv doctor: what this machine can do. Builds nothing; what was not built yet is said.
import { silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { findDemoGuest } from '@vivarium/guests';
import { findRuntime, qualifyAccelerator } from '@vivarium/qemu';
import type { Fact } from '../doctor/fact.ts';
import { cgroupFact, datapathFact, ksmFact, memoryFact, spaceFact, tunFact, userFact } from '../doctor/machine.ts';
import { cacheDir } from '../state.ts';

export async function doctor(options: { stateDir: string; json?: boolean }): Promise<void> {
  const facts = [
    userFact(),
    ...(await engineFacts()),
    memoryFact(),
    await spaceFact(options.stateDir),
    await tunFact(),
    await datapathFact(),
    await ksmFact(),
    await cgroupFact(),
  ];
  if (options.json) {
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    return;
  }
  const marks = { ok: '✓', reduced: '~', missing: '✗' } as const;
  for (const { name, state, detail, mend } of facts) {
    process.stdout.write(`${marks[state]} ${name.padEnd(15)} ${detail}\n`);
    if (mend) process.stdout.write(`${''.padEnd(18)}→ ${mend}\n`);
  }
}

async function engineFacts(): Promise<Fact[]> {
  const cache = cacheDir();
  const runtime = await findRuntime(cache);
  const guest = await findDemoGuest(cache);
  if (!runtime || !guest) {
    const mend = './viv up builds it';
    return [
      { name: 'VMM runtime', state: 'missing', detail: `not built yet in ${cache}`, mend },
      {
        name: 'accelerator',
        state: 'missing',
        detail: 'not tried yet: that needs the runtime and the demo guest',
        mend,
      },
    ];
  }
  const verdict = await qualifyAccelerator({
    runtime,
    cacheDir: cache,
    clock: systemClock,
    log: silentLogger,
    payload: guest.probe,
  });
  return [
    { name: 'VMM runtime', state: 'ok', detail: `QEMU ${runtime.version} in ${runtime.path}` },
    verdict.accelerator === 'kvm'
      ? { name: 'accelerator', state: 'ok', detail: `KVM (${verdict.detail})` }
      : {
          name: 'accelerator',
          state: 'reduced',
          detail: `TCG, guests are emulated: ${verdict.detail}`,
          ...(verdict.mend === undefined ? {} : { mend: verdict.mend }),
        },
  ];
}
