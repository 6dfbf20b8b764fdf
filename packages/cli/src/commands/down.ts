// viv down: guests shut down (or are powered off when they do not), then the hosts and vCenter stop.
import type { VimClient } from '@vivarium/client';
import { centerInstance, hostInstances, readLayout } from '../layout.ts';
import { beginStep } from '../progress.ts';
import { openSession } from '../session.ts';
import { restartDaemon } from '../start-daemon.ts';
import { cacheDir, findRunning, type Instance, isHeadless, UserError } from '../state.ts';
import { listVms, type VmRow } from '../vms.ts';
import { waitUntil } from '../wait.ts';

const GUEST_SHUTDOWN_MS = 30_000;
const HOST_STOP_MS = 30_000;

export async function down(options: { stateDir: string }): Promise<void> {
  const layout = await readLayout(options.stateDir);
  if (!layout) {
    process.stderr.write(`viv: nothing was brought up in ${options.stateDir} yet\n`);
    return;
  }
  // vCenter first: it would only tell of hosts that go.
  const center = centerInstance(options.stateDir, layout);
  if (center) await stopDaemon(center);
  const failures: unknown[] = [];
  for (const instance of hostInstances(options.stateDir, layout)) {
    // One host that does not stop keeps no other from it.
    await stopHost(instance).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

async function stopHost(instance: Instance): Promise<void> {
  if (await isHeadless(instance)) await takeOver(instance);
  if (!(await findRunning(instance))) {
    process.stderr.write(`viv: ${instance.name} is not running\n`);
    return;
  }
  const step = beginStep(`shutting down the VMs of ${instance.name}`);
  try {
    await using session = await openSession(instance);
    const on = (await listVms(session.client)).filter((vm) => vm.powerState === 'poweredOn');
    await Promise.all(on.map((vm) => stopVm(session.client, vm)));
  } catch (error) {
    step.failed(`the VMs of ${instance.name} could not be shut down: ${error instanceof Error ? error.message : ''}`);
    throw new UserError('the host was left running', 'look at ./viv status and ./viv logs, then try again');
  }
  step.done(`the VMs of ${instance.name} are off`);
  await stopDaemon(instance);
}

/** hostd was killed, its guests and switch run on: a new hostd ends them in order. */
async function takeOver(instance: Instance): Promise<void> {
  const step = beginStep(`taking over what a killed hostd of ${instance.name} has left running`);
  try {
    await restartDaemon(instance, { cacheDir: cacheDir() });
    step.done(`a new hostd has taken over ${instance.name}`);
  } catch (error) {
    step.failed(`hostd of ${instance.name} does not start: its VMs may still run`);
    throw error;
  }
}

async function stopDaemon(instance: Instance): Promise<void> {
  const running = await findRunning(instance);
  if (!running) {
    process.stderr.write(`viv: ${instance.name} is not running\n`);
    return;
  }
  const step = beginStep(`stopping ${instance.name}`);
  endProcess(instance, running.pid);
  const isDown = await waitUntil(async () => (await findRunning(instance)) === undefined, HOST_STOP_MS);
  if (!isDown) {
    step.failed(`${instance.name} (pid ${running.pid}) did not stop within ${HOST_STOP_MS / 1000} s`);
    throw new UserError(`${instance.name} is still stopping`, 'see ./viv logs; run ./viv down again');
  }
  step.done(`${instance.name} is down; what it keeps is in ${instance.stateDir}`);
}

/** Throws UserError. One that has ended meanwhile is as good. */
function endProcess({ name }: Instance, pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ESRCH') return;
    const mend = 'run this as the user that started it, or as root';
    throw new UserError(`${name} (pid ${pid}) cannot be stopped by you (${code})`, mend, { cause });
  }
}

async function stopVm(client: VimClient, vm: VmRow): Promise<void> {
  if (vm.toolsRunning) {
    await client.call(vm.ref, 'ShutdownGuest', {} as never).catch(() => undefined);
    const isOff = await waitUntil(
      async () => (await client.get(vm.ref, 'runtime'))?.powerState === 'poweredOff',
      GUEST_SHUTDOWN_MS,
    );
    if (isOff) return;
  }
  await client.waitForTask(await client.call(vm.ref, 'PowerOffVM_Task', {} as never));
}
