// Starts, stops and suspends what is in a vApp, step by step in its start order.
// Source: vSphere Web Services API, VirtualApp.PowerOnVApp_Task, PowerOffVApp_Task, SuspendVApp_Task, VAppEntityConfigInfo.
import { delay } from '@vivarium/base';
import type { ManagedObjectReference, MoRef, VAppEntityConfigInfo } from '@vivarium/vim';
import { type Call, descriptionIdOf } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { isApp } from '../resource-pool/pool-ref.ts';
import { startSteps } from './start-order.ts';

type App = MoRef<'VirtualApp'>;
type Vm = MoRef<'VirtualMachine'>;

export interface AppRun {
  readonly call: Call;
  readonly signal: AbortSignal;
  readonly progress: (percent: number) => void;
}

/** VMs that run already are left alone. Ends at the first that fails, with its fault; what runs by then runs on. */
export async function startApp(center: Center, app: App, run: AppRun): Promise<void> {
  const steps = stepsOf(center, app);
  for (const [index, step] of steps.entries()) {
    run.signal.throwIfAborted();
    const started = await Promise.all(step.map((entity) => startOne(center, entity, run)));
    run.progress(Math.floor((100 * (index + 1)) / steps.length));
    if (index < steps.length - 1 && started.includes(true)) await untilStarted(center, step, run.signal);
  }
}

/** `force`: all VMs are powered off, whatever the order and actions are. */
export async function stopApp(center: Center, app: App, force: boolean, run: AppRun): Promise<void> {
  if (force) {
    await Promise.all(vmsWithin(center, app).map((vm) => powerOff(center, vm, run.call)));
    return;
  }
  await stopInOrder(center, app, run, (entity) => stopOne(center, entity, run));
}

export async function suspendApp(center: Center, app: App, run: AppRun): Promise<void> {
  await stopInOrder(center, app, run, async ({ key }) => {
    if (isApp(key)) await suspendApp(center, key, { ...run, progress: () => undefined });
    else if (isRunning(center, key)) await onVm(center, key as Vm, 'SuspendVM_Task', run.call);
  });
}

/** All VMs in it and in its vApps and pools. */
export function vmsWithin({ inventory }: Pick<Center, 'inventory'>, app: ManagedObjectReference): Vm[] {
  return inventory
    .children(app)
    .flatMap((ref) => (ref.type === 'VirtualMachine' ? [ref as Vm] : vmsWithin({ inventory }, ref)));
}

async function stopInOrder(
  center: Center,
  app: App,
  { signal, progress }: AppRun,
  stop: (entity: VAppEntityConfigInfo) => Promise<void>,
): Promise<void> {
  const steps = stepsOf(center, app).reverse();
  for (const [index, step] of steps.entries()) {
    signal.throwIfAborted();
    await Promise.all(step.map(stop));
    progress(Math.floor((100 * (index + 1)) / steps.length));
  }
}

function stepsOf({ inventory }: Center, app: App): VAppEntityConfigInfo[][] {
  return startSteps(inventory.get<'VirtualApp'>(app).vAppConfig.entityConfig ?? []);
}

/** Tells whether something was started. */
async function startOne(center: Center, { key, startAction }: VAppEntityConfigInfo, run: AppRun): Promise<boolean> {
  if (startAction !== 'powerOn' || !key || isRunning(center, key)) return false;
  if (isApp(key)) await startApp(center, key, { ...run, progress: () => undefined });
  else {
    using _claim = center.pools.claim(key as Vm);
    await onVm(center, key as Vm, 'PowerOnVM_Task', run.call);
  }
  return true;
}

async function stopOne(
  center: Center,
  { key, stopAction, stopDelay = 0 }: VAppEntityConfigInfo,
  run: AppRun,
): Promise<void> {
  if (stopAction === 'none' || !key) return;
  if (isApp(key)) await stopApp(center, key, false, { ...run, progress: () => undefined });
  else if (!isRunning(center, key)) await powerOff(center, key as Vm, run.call);
  else if (stopAction === 'suspend') await onVm(center, key as Vm, 'SuspendVM_Task', run.call);
  else if (stopAction === 'guestShutdown') await shutDown(center, key as Vm, stopDelay, run);
  else await powerOff(center, key as Vm, run.call);
}

/** A guest gets its delay; one that is still up after it is powered off. */
async function shutDown(center: Center, vm: Vm, stopDelayS: number, { call, signal }: AppRun): Promise<void> {
  const { host } = center.inventory.get<'VirtualMachine'>(vm);
  await center.forwarder.call(vm, { host, method: 'ShutdownGuest', args: {} }, signal);
  await until(center, [vm], stopDelayS, () => !isRunning(center, vm), signal);
  await powerOff(center, vm, call);
}

/** What is suspended, too. */
async function powerOff(center: Center, vm: Vm, call: Call): Promise<void> {
  const state = center.service.graph.find(vm)?.getPath('runtime.powerState');
  if (state !== 'poweredOff') await onVm(center, vm, 'PowerOffVM_Task', call);
}

/** What comes next waits for the longest delay of the step, or until the guests are up that it is to wait for. */
async function untilStarted(center: Center, step: readonly VAppEntityConfigInfo[], signal: AbortSignal): Promise<void> {
  const longest = Math.max(0, ...step.map(({ startDelay = 0 }) => startDelay));
  const guests = step.flatMap(({ key, waitingForGuest }) =>
    waitingForGuest && key?.type === 'VirtualMachine' ? key : [],
  );
  const areUp = () =>
    guests.length > 0 &&
    guests.every(
      (vm) => center.service.graph.find(vm as MoRef)?.getPath('guest.toolsRunningStatus') === 'guestToolsRunning',
    );
  await until(center, guests, longest, areUp, signal);
}

/** Resolves when the condition holds, which is looked at whenever one of the VMs changes, or after so many seconds. */
async function until(
  { clock, service }: Center,
  vms: readonly ManagedObjectReference[],
  seconds: number,
  isTrue: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  if (seconds <= 0 || isTrue()) return;
  const over = new AbortController();
  const look = () => {
    if (isTrue()) over.abort();
  };
  using stack = new DisposableStack();
  for (const vm of vms) stack.defer(service.graph.subscribe(vm as MoRef, look));
  await delay(clock, seconds * 1000, AbortSignal.any([signal, over.signal])).catch(() => undefined);
  signal.throwIfAborted();
}

function isRunning({ service, inventory }: Center, ref: ManagedObjectReference | undefined): boolean {
  if (!ref) return false;
  if (isApp(ref)) {
    const vms = vmsWithin({ inventory }, ref);
    return vms.length > 0 && vms.every((vm) => isRunning({ service, inventory } as Center, vm));
  }
  return service.graph.find(ref as MoRef)?.getPath('runtime.powerState') === 'poweredOn';
}

async function onVm({ service, inventory, forwarder }: Center, vm: Vm, method: string, call: Call): Promise<void> {
  const { host } = inventory.get<'VirtualMachine'>(vm);
  const spec = { entity: vm as MoRef, descriptionId: descriptionIdOf('VirtualMachine', method), call };
  await service.tasks.run(spec, ({ ref, signal, progress }) =>
    forwarder.run(vm, { host, method, args: {} }, { call, task: ref, signal, progress }),
  );
}
