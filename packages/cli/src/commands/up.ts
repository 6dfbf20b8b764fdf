// viv up: from nothing to a cluster of hosts under a vCenter, with a running VM. Every step finds what an earlier run has done.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { type DemoGuest, ensureDemoGuest } from '@vivarium/guests';
import { ensureRuntime } from '@vivarium/qemu';
import { ensureCluster, placeDemoVm } from '../demo-cluster.ts';
import { ensureDemoVm } from '../demo-vm.ts';
import {
  centerInstance,
  hasCenterRun,
  hostInstances,
  keepLayout,
  type Layout,
  planLayout,
  readLayout,
} from '../layout.ts';
import { beginStep } from '../progress.ts';
import { openSession } from '../session.ts';
import { startDaemon } from '../start-daemon.ts';
import {
  cacheDir,
  defaultStateDir,
  ensureCredentials,
  findCredentials,
  findRunning,
  type Instance,
  isRoot,
  makeStateDir,
  readText,
  UserError,
} from '../state.ts';
import type { UplinkWish } from '../uplink-option.ts';
import { listVms, type VmRow } from '../vms.ts';
import { waitUntil } from '../wait.ts';
import { down } from './down.ts';

const BOOT_MS = 120_000;
const LEAD_MS = 8_000;
const LOOPBACK = '127.0.0.1';

export interface UpOptions {
  readonly stateDir: string;
  /** Undefined or 0 = as it is. */
  readonly port: number | undefined;
  /** Undefined = those that are there; three at the first time. */
  readonly hosts: number | undefined;
  readonly store: string | undefined;
  readonly address: string | undefined;
  /** Undefined = those that the hosts have. */
  readonly uplink: readonly UplinkWish[] | undefined;
  readonly detach?: boolean;
  readonly json?: boolean;
}

export async function up(options: UpOptions): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new UserError(
      `${process.platform} on ${process.arch} is not supported`,
      'use a Linux machine with an x86-64 CPU',
    );
  }
  const hasRun = await hasCenterRun(options.stateDir);
  const plan = planLayout(await readLayout(options.stateDir), { ...options, uplinks: options.uplink, hasRun });
  for (const { device } of options.uplink ?? []) await requireDevice(device, options.stateDir);
  const built = plan.hosts.length > 0 ? await build() : undefined;
  await makeStateDir(options.stateDir);
  const layout = await keepLayout(options.stateDir, plan);
  const hosts = hostInstances(options.stateDir, layout);
  const center = centerInstance(options.stateDir, layout);
  if (built && !isRoot) {
    process.stderr.write('viv: you are not root: guests get user-mode networking, and VMMs run under your own user\n');
  }
  const [first] = hosts;
  for (const [index, instance] of built ? hosts.entries() : []) {
    const address = (center ? undefined : layout.address) ?? LOOPBACK;
    const listen = { address, port: layout.hosts[index]?.port ?? 0 };
    const uplinks = layout.hosts[index]?.uplinks ?? [];
    await bringUpHost(instance, { listen, uplinks, isOneOfMany: hosts.length > 1 }, built as Built);
  }
  if (first && built) await bringUpDemoVm(first, built.guest);
  const front = center ?? first;
  if (!front) return;
  const running = await findRunning(front);
  if (running && (options.address !== undefined || running.port !== (options.port || running.port))) {
    process.stderr.write('viv: what runs keeps its address until it starts again: ./viv down, then ./viv up\n');
  }
  const leads = center === undefined || (await bringUpCenter(center, layout, hosts));
  if (center && (!leads || (hosts.length === 0 && !(await findCredentials(center))))) {
    await reportAddress(center, options);
  } else {
    const vms = first ? await waitForGuest(front, options) : [];
    await report(front, hosts, options, vms);
  }
  if (!options.detach && !options.json) await stayAttached(options.stateDir);
}

interface Built {
  readonly runtimePath: string;
  readonly guest: DemoGuest;
}

async function build(): Promise<Built> {
  const common = { cacheDir: cacheDir(), clock: systemClock, log: silentLogger };
  const runtime = await stepwise('looking for the VMM runtime', 'VMM runtime', (progress) =>
    ensureRuntime({ ...common, progress }),
  );
  const guest = await stepwise('looking for the demo guest', 'demo guest', (progress) =>
    ensureDemoGuest({ ...common, progress }),
  );
  return { runtimePath: runtime.path, guest };
}

/** Throws UserError. A device that a host has taken already is not to be seen on the machine. */
async function requireDevice(device: string, stateDir: string): Promise<void> {
  if (!isRoot)
    throw new UserError('--uplink needs root: other users have no virtual switch', 'leave it out, or be root');
  const former = (await readLayout(stateDir))?.hosts.some(({ uplinks }) => uplinks?.includes(device)) ?? false;
  if (former || existsSync(`/sys/class/net/${device}`)) return;
  throw new UserError(`this machine has no network device ${device}`, 'see which there are: ip link');
}

interface HostShape {
  readonly listen: { readonly address: string; readonly port: number };
  readonly uplinks: readonly string[];
  readonly isOneOfMany: boolean;
}

async function bringUpHost(instance: Instance, shape: HostShape, built: Built): Promise<void> {
  await ensureCredentials(instance);
  if (await findRunning(instance)) return await hintAtUplinks(instance, shape.uplinks);
  const step = beginStep(`starting the host ${instance.name}`);
  const configuration = {
    stateDir: instance.stateDir,
    name: instance.name,
    ...shape,
    runtimePath: built.runtimePath,
    cacheDir: cacheDir(),
    probe: built.guest.probe,
    credentialsFile: join(instance.stateDir, 'credentials.json'),
  };
  try {
    await startDaemon(instance, configuration, { cacheDir: cacheDir() });
    step.done(`host ${instance.name} is up`);
  } catch (error) {
    step.failed(`the host ${instance.name} did not start`);
    throw error;
  }
}

async function hintAtUplinks(instance: Instance, uplinks: readonly string[]): Promise<void> {
  const text = await readText(join(instance.stateDir, 'hostd.json'));
  const { uplinks: used = [] } = JSON.parse(text ?? '{}') as Partial<HostShape>;
  if (used.join() === uplinks.join()) return;
  process.stderr.write(`viv: ${instance.name} gets its uplinks when it starts again: ./viv down, then ./viv up\n`);
}

async function bringUpDemoVm(instance: Instance, guest: DemoGuest): Promise<void> {
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

/** False when it stands by: another vCenter leads. */
async function bringUpCenter(center: Instance, layout: Layout, hosts: readonly Instance[]): Promise<boolean> {
  const step = beginStep('starting vCenter');
  try {
    if (!(await findRunning(center))) {
      const { port = 0, store } = layout.vcenter ?? {};
      const listen = { address: layout.address ?? LOOPBACK, port };
      await startDaemon(center, { stateDir: center.stateDir, listen, store }, { cacheDir: cacheDir() });
    }
    // One that was killed a moment ago is still thought to lead.
    if (!(await waitUntil(async () => (await findRunning(center))?.standsBy === false, LEAD_MS))) {
      step.done('vCenter stands by: another one leads');
      return false;
    }
    if (hosts.length > 0) {
      await using session = await openSession(center);
      const members = hosts.map((instance, index) => ({ instance, port: layout.hosts[index]?.port ?? 0 }));
      await ensureCluster(session.client, members, step);
      await placeDemoVm(session.client);
    }
    step.done(`vCenter is up, over ${hosts.length === 0 ? 'no' : hosts.length} hosts`);
    return true;
  } catch (error) {
    step.failed('vCenter could not be brought up');
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

async function report(
  instance: Instance,
  hosts: readonly Instance[],
  options: UpOptions,
  vms: readonly VmRow[],
): Promise<void> {
  await using session = await openSession(instance);
  const { url, userName, password } = session;
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({
        url,
        username: userName,
        password,
        stateDir: options.stateDir,
        hosts: await Promise.all(hosts.map(describeHost)),
        vms: vms.map(({ name, powerState, ipAddress }) => ({ name, powerState, ipAddress })),
      })}\n`,
    );
    return;
  }
  const demo = vms.find(({ name }) => name === 'demo');
  const next = demo ? 'govc vm.info demo' : 'govc about';
  const stateOption = options.stateDir === defaultStateDir() ? '' : ` --state-dir '${options.stateDir}'`;
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
      `  ${next}`,
      `  ./viv status${stateOption}`,
      '',
    ].join('\n'),
  );
}

/** Of a vCenter that does not lead, or whose password was never here. */
async function reportAddress(center: Instance, { stateDir, json }: UpOptions): Promise<void> {
  const running = await findRunning(center);
  if (!running) throw new UserError('vCenter has ended', 'see ./viv logs');
  const url = `https://${running.address}:${running.port}`;
  const { standsBy } = running;
  const note = standsBy ? 'answers when the one that leads is gone' : 'users and passwords are those of the store';
  const result = { url, standsBy, stateDir, hosts: [], vms: [] };
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `\n  address   ${url}  (${note})\n\n`);
}

async function describeHost(instance: Instance) {
  const running = await findRunning(instance);
  return { name: instance.name, ...(running ? { url: `https://${running.address}:${running.port}` } : {}) };
}

async function stayAttached(stateDir: string): Promise<void> {
  process.stderr.write('viv: everything runs until you press Ctrl-C (with --detach it goes on without you)\n');
  const alive = setInterval(() => undefined, 1 << 30);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  clearInterval(alive);
  await down({ stateDir });
}
