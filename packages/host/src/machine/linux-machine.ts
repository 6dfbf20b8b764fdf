// The Linux machine that hostd runs on: QEMU from the runtime root, Open vSwitch or NAT, control groups where there are any.
import { join } from 'node:path';
import { CgroupTree, openRuntimeRoot, prepareCgroups, qualifyAccelerator } from '@vivarium/qemu';
import type { Store } from '@vivarium/store';
import { readMachineFacts } from '../host-system/machine-facts.ts';
import { readMachineNetwork } from '../network/machine/machine-network.ts';
import { openNetwork } from '../network/open-network.ts';
import { loadConfiguration } from '../network-system/stored-configuration.ts';
import { type HostdOptions, statePaths } from '../options.ts';
import { machineReader } from '../statistics/machine-reading.ts';
import { QemuDiskImages } from '../virtual-disk-manager/qemu-disk-images.ts';
import { qemuVmms } from '../vm/qemu/qemu-vmms.ts';
import { readBlockDevices } from './block-devices.ts';
import type { HostMachine, MachineContext } from './host-machine.ts';
import { readMachineDetails } from './machine-details.ts';
import { machineFiles } from './machine-files.ts';
import { readMachineServices, readTimeServers } from './machine-services.ts';

/** Uids of VMMs as root: far above those that distributions give away. */
const FIRST_UID = 1_700_000_000;
/** The image jail's uid, below all VMMs'. */
const IMAGE_UID = FIRST_UID - 1;

/** `ownUuid`: the host's, for one of many on a machine, or where the machine has none. */
export async function openLinuxMachine(
  options: HostdOptions,
  { store, ownUuid }: { readonly store: Store; readonly ownUuid: string },
  context: MachineContext,
): Promise<HostMachine> {
  const { clock, random, log } = context;
  const runtime = await openRuntimeRoot(options.runtimePath);
  if (!runtime) throw new Error(`there is no VMM runtime at ${options.runtimePath}; ./viv up builds one`);
  const files = machineFiles();
  const machine = await readMachineFacts(ownUuid);
  const verdict = options.probe
    ? await qualifyAccelerator({ runtime, payload: options.probe, cacheDir: options.cacheDir, clock, log })
    : ({ accelerator: 'tcg', detail: 'not tried: no kernel to try KVM with was named' } as const);
  log.info({ ...verdict }, 'accelerator qualified');
  if (options.jail === 'none') log.warn({}, 'VMMs run without a jail: for measuring and debugging only');
  const isRoot = process.getuid?.() === 0;
  const network = await openNetwork({
    stateDir: options.stateDir,
    configuration: loadConfiguration(store),
    runtimePath: options.runtimePath,
    adapters: { named: options.uplinks ?? [], others: !options.isOneOfMany },
    clock,
    log,
  });
  const groups = await openGroups(options.stateDir, context);
  return {
    facts: options.isOneOfMany ? { ...machine, uuid: ownUuid } : machine,
    details: readMachineDetails(files),
    verdict,
    images: new QemuDiskImages({ runtime: { path: options.runtimePath }, ...(isRoot ? { uid: IMAGE_UID } : {}) }),
    network,
    groups,
    readNetwork: readMachineNetwork,
    readBlockDevices: () => readBlockDevices(files),
    readServices: () => readMachineServices(files),
    readTimeSource: () => ({
      servers: readTimeServers(files),
      isKept: readMachineServices(files).some(({ key, isRunning }) => key === 'ntpd' && isRunning),
    }),
    readUsage: machineReader(network),
    vmms: (datastoreRoot) =>
      qemuVmms({
        clock,
        random,
        log,
        runtimePath: options.runtimePath,
        runRoot: statePaths(options.stateDir).run,
        jail: options.jail ?? (isRoot ? 'full' : 'user'),
        firstUid: FIRST_UID,
        accelerator: verdict.accelerator,
        network,
        groups,
        datastoreRoot,
      }),
    release: () => network.stop(),
    async tearDown() {
      await network.stop({ teardown: true });
      await groups?.close();
    },
  };
}

/** Control groups of this host alone; VMs run without limits where there are none. */
async function openGroups(stateDir: string, { clock, log }: MachineContext): Promise<CgroupTree | undefined> {
  const hierarchy = await prepareCgroups(instanceName(stateDir));
  if (hierarchy) return CgroupTree.open(hierarchy, { clock, log });
  log.warn({}, 'this machine has no control groups for hostd: limits, shares and reservations are not enforced');
  return undefined;
}

/** Tells the control groups of several hosts on one machine apart. */
function instanceName(stateDir: string): string {
  return join(stateDir)
    .replace(/[^A-Za-z0-9]+/g, '-')
    .slice(-60)
    .replace(/^-|-$/g, '');
}
