// The starting of VMs after a boot of the machine, in their order: kept in the store as it goes on, so that a hostd that is
// killed meanwhile is followed by one that starts the rest, and none twice.
import { type Clock, delay, type Logger } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import type { Vm } from '../vm/vm.ts';
import type { StartStep } from './plan-auto-start.ts';

const BOOT = 'auto-start/boot';
const LEFT = 'auto-start/left';

/** What is still to be done of a sequence. */
interface Left {
  /** Waited before the next one starts; after a restart of hostd anew. */
  readonly delaySeconds: number;
  readonly steps: readonly StartStep[];
}

export interface StartContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly findVm: (id: string) => Vm | undefined;
}

/**
 * Once after each boot (`boot`: its id): powers on what `plan` says. Goes on with what was planned then if it was interrupted, but for
 * what `plan` names no more. Rejects with the signal's reason.
 */
export async function startAfterBoot(
  store: Pick<Store, 'get' | 'batch'>,
  context: StartContext,
  {
    boot,
    plan,
    signal,
  }: { readonly boot: string; readonly plan: () => readonly StartStep[]; readonly signal: AbortSignal },
): Promise<void> {
  const isNewBoot = store.get<string>(BOOT)?.value !== boot;
  const begun = isNewBoot ? { delaySeconds: 0, steps: plan() } : store.get<Left>(LEFT)?.value;
  if (isNewBoot)
    await store.batch([
      { put: BOOT, value: boot },
      { put: LEFT, value: begun },
    ]);
  if (!begun) return;
  const wanted = new Set(plan().map(({ vm }) => vm));
  const steps = begun.steps.filter(({ vm }) => wanted.has(vm));
  await startInOrder(context, { ...begun, steps }, signal, (left) => store.batch([{ put: LEFT, value: left }]));
  await store.batch([{ delete: LEFT }]);
}

/** `started`: told of what is left after each step. */
export async function startInOrder(
  { clock, log, findVm }: StartContext,
  { delaySeconds, steps }: Left,
  signal: AbortSignal,
  started: (left: Left) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  let pauseSeconds = delaySeconds;
  for (const [index, step] of steps.entries()) {
    if (pauseSeconds > 0) await delay(clock, pauseSeconds * 1000, signal);
    signal.throwIfAborted();
    pauseSeconds = (await start(step)) ? step.delaySeconds : 0;
    await started({ delaySeconds: pauseSeconds, steps: steps.slice(index + 1) });
  }

  async function start({ vm: id }: StartStep): Promise<boolean> {
    const vm = findVm(id);
    if (!vm || vm.power === 'poweredOn') return false;
    try {
      await vm.powerOn({ progress() {} });
      return true;
    } catch (error) {
      log.warn({ vm: id, err: error }, 'a VM could not be started with the host');
      return false;
    }
  }
}
