// viv up: from nothing to a host with a running VM. Every step finds what an earlier run has done.
import { silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { ensureDemoGuest } from '@vivarium/guests';
import { ensureRuntime } from '@vivarium/qemu';
import { ensureDemoVm } from '../demo-vm.ts';
import { beginStep } from '../progress.ts';
import { openSession } from '../session.ts';
import { startHost } from '../start-host.ts';
import { cacheDir, ensureCredentials, findRunning, type Instance, instances, isRoot, UserError } from '../state.ts';
import { listVms, type VmRow } from '../vms.ts';
import { waitUntil } from '../wait.ts';
import { stopInstance } from './down.ts';

const BOOT_MS = 120_000;

export interface UpOptions {
  readonly stateDir: string;
  readonly port: number;
  readonly hosts: number;
  readonly detach?: boolean;
  readonly json?: boolean;
}

export async function up(options: UpOptions): Promise<void> {
  const [instance] = instances(options.stateDir);
  if (!instance || options.hosts !== 1) {
    throw new UserError(
      'only one host can be brought up so far',
      'leave --hosts out; vCenter over many hosts comes next',
    );
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new UserError(
      `${process.platform} on ${process.arch} is not supported`,
      'use a Linux machine with an x86-64 CPU',
    );
  }
  await bringUp(instance, options);
  const vms = await waitForGuest(instance, options);
  await report(instance, options, vms);
  if (!options.detach && !options.json) await stayAttached(instance);
}

async function bringUp(instance: Instance, options: UpOptions): Promise<void> {
  const cache = cacheDir();
  const common = { cacheDir: cache, clock: systemClock, log: silentLogger };
  const runtime = await stepwise('looking for the VMM runtime', 'VMM runtime', (progress) =>
    ensureRuntime({ ...common, progress }),
  );
  const guest = await stepwise('looking for the demo guest', 'demo guest', (progress) =>
    ensureDemoGuest({ ...common, progress }),
  );
  await ensureCredentials(instance);
  if (!isRoot) {
    process.stderr.write('viv: you are not root: guests get user-mode networking, and VMMs run under your own user\n');
  }
  if (!(await findRunning(instance))) {
    const step = beginStep(`starting the host ${instance.name}`);
    try {
      await startHost(instance, {
        port: options.port,
        runtimePath: runtime.path,
        cacheDir: cache,
        probe: guest.probe,
      });
      step.done(`host ${instance.name} is up`);
    } catch (error) {
      step.failed(`the host ${instance.name} did not start`);
      throw error;
    }
  }
  const step = beginStep('looking for the demo VM');
  try {
    await using session = await openSession(instance);
    await ensureDemoVm(session.client, guest, step);
    step.done('the demo VM is powered on');
  } catch (error) {
    step.failed('the demo VM could not be brought up');
    throw error;
  }
}

async function stepwise<T>(
  text: string,
  subject: string,
  work: (progress: (text: string, fraction?: number) => void) => Promise<T>,
): Promise<T> {
  const step = beginStep(text);
  try {
    const result = await work((next, fraction) => step.update(next, fraction));
    step.done(`${subject} is ready`);
    return result;
  } catch (error) {
    step.failed(`${subject} could not be built`);
    throw error;
  }
}

async function waitForGuest(instance: Instance, options: UpOptions): Promise<readonly VmRow[]> {
  await using session = await openSession(instance);
  let vms = await listVms(session.client);
  const step = beginStep('waiting for the guest to boot');
  const hasBooted = await waitUntil(async () => {
    vms = await listVms(session.client);
    const demo = vms.find(({ name }) => name === 'demo');
    return demo === undefined || (demo.toolsRunning && demo.ipAddress !== undefined);
  }, BOOT_MS);
  if (hasBooted) {
    step.done('the guest has booted');
    return vms;
  }
  step.failed(`the guest did not report an address within ${BOOT_MS / 1000} s`);
  if (options.detach || options.json) {
    throw new UserError(
      'the demo guest did not finish booting',
      'look at its screen and log: govc vm.console demo, ./viv logs',
    );
  }
  return vms;
}

async function report(instance: Instance, options: UpOptions, vms: readonly VmRow[]): Promise<void> {
  await using session = await openSession(instance);
  const { url, userName, password } = session;
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({
        url,
        username: userName,
        password,
        stateDir: options.stateDir,
        hosts: [{ name: instance.name, url }],
        vms: vms.map(({ name, powerState, ipAddress }) => ({ name, powerState, ipAddress })),
      })}\n`,
    );
    return;
  }
  const demo = vms.find(({ name }) => name === 'demo');
  const stateOption = process.argv.includes('--state-dir') ? ` --state-dir ${options.stateDir}` : '';
  process.stdout.write(
    [
      '',
      `  address   ${url}`,
      `  user      ${userName}`,
      `  password  ${password}`,
      ...(demo?.ipAddress ? [`  demo VM   ${demo.ipAddress}${isRoot ? ` (http://${demo.ipAddress}/)` : ''}`] : []),
      '',
      'Next:',
      `  eval "$(./viv env${stateOption})"`,
      '  govc vm.info demo',
      `  ./viv status${stateOption}`,
      '',
    ].join('\n'),
  );
}

async function stayAttached(instance: Instance): Promise<void> {
  process.stderr.write('viv: everything runs until you press Ctrl-C (with --detach it goes on without you)\n');
  const alive = setInterval(() => undefined, 1 << 30);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  clearInterval(alive);
  await stopInstance(instance);
}
