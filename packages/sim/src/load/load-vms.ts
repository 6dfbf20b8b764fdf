// The VMs of a saved inventory, on their simulated hosts: each is made as CreateVM_Task makes one, device by device, so that what ours
// cannot have is left out, and nothing else.
import type { InventoryOp } from '@vivarium/vcenter';
import {
  MethodFault,
  type MoRef,
  make,
  type Told,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { SimHost } from '../sim-host.ts';
import type { LoadedHost } from './load-hosts.ts';
import type { HostNames } from './load-switches.ts';
import { type Loading, named, nameOf, nodesOf, refOf } from './loading.ts';
import { told, wrong } from './saved-object.ts';
import type { TreeNode } from './saved-tree.ts';
import { deviceSpecs } from './vm-devices.ts';

type Config = VirtualMachineConfigInfo;
type SavedConfig = Told<Config>;

type Change = { readonly [P in keyof VirtualMachineConfigSpec]?: VirtualMachineConfigSpec[P] | undefined };

/** Something that a VM had: the first of the ways that is not refused. */
interface Wanted {
  /** As it is counted when it is left out. */
  readonly what: string;
  readonly ways: readonly Change[];
}

interface VmWork {
  readonly node: TreeNode;
  readonly saved: SavedConfig;
  readonly host: LoadedHost;
  readonly hostNames: HostNames;
}

/** Throws FlagError. */
export async function loadVms(loading: Loading, hosts: readonly LoadedHost[], hostNames: HostNames): Promise<void> {
  const byNode = new Map(hosts.map((host) => [host.node, host]));
  const ops: InventoryOp[] = [];
  for (const node of nodesOf(loading, 'VirtualMachine')) {
    const { object } = node;
    const saved = told(object, 'VirtualMachine', 'config');
    if (!saved) {
      // Its host had lost its files, or nobody could read them.
      loading.leftOut.note('VMs without a configuration');
      continue;
    }
    const ref = told(object, 'VirtualMachine', 'runtime')?.host;
    const host = byNode.get(named(loading, node, { property: 'host', ref, types: ['HostSystem'] }));
    if (host) ops.push(loadVm(loading, { node, saved, host, hostNames }));
  }
  await loading.records.put(ops);
}

function loadVm(loading: Loading, work: VmWork): InventoryOp {
  const { node, host } = work;
  const { object, parent } = node;
  const poolRef = told(object, 'VirtualMachine', 'resourcePool');
  const isInApp = parent?.object.ref.type === 'VirtualApp';
  // A template has no pool.
  const pool = poolRef
    ? named(loading, node, { property: 'resourcePool', ref: poolRef, types: ['ResourcePool', 'VirtualApp'] })
    : undefined;
  // What VMs have in common is kept once.
  const config = loading.maker.interner.share(configOf(loading, work));
  const state = host.host.adopt(config);
  const power = told(object, 'VirtualMachine', 'runtime')?.powerState;
  if (power === 'poweredOn') host.host.powerOn(state);
  else if (power === 'suspended') host.host.suspend(state);
  const vmPathName = config.files.vmPathName ?? '';
  const datastore = /^\[([^\]]*)\]/.exec(vmPathName)?.[1] ?? '';
  return {
    put: refOf(node, 'VirtualMachine'),
    record: {
      name: nameOf(node),
      parent: parent?.ref as MoRef,
      host: refOf(host.node, 'HostSystem'),
      hostKey: state.ref.value,
      instanceUuid: config.instanceUuid ?? '',
      vmPathName,
      datastoreUrl: host.host.datastoreUrl(datastore) ?? '',
      resourcePool:
        isInApp && !pool
          ? refOf(parent, 'ResourcePool')
          : pool
            ? refOf(pool, 'ResourcePool')
            : rootPoolOf(loading, host.node),
      hostName: config.name,
    },
  };
}

function rootPoolOf(loading: Loading, host: TreeNode): MoRef<'ResourcePool'> {
  const owner = host.parent as TreeNode;
  const ref = told(owner.object, 'ComputeResource', 'resourcePool');
  return refOf(named(loading, owner, { property: 'resourcePool', ref, types: ['ResourcePool'] }), 'ResourcePool');
}

function configOf(loading: Loading, { node, saved, host, hostNames }: VmWork): Config {
  const vmPathName = vmPathOf(loading, node, saved, host);
  const changes = [
    ...settingsOf(saved),
    ...deviceSpecs(loading, { node, saved, hostNames, datastores: host.datastores }),
  ];
  const planned =
    planAtOnce(host.host, bareSpec(saved, vmPathName), changes) ??
    planInSteps(loading, node, host.host, { bare: bareSpec(saved, vmPathName), changes });
  return saved.template ? asTemplate(planned) : planned;
}

/** With its name, its system and its UUIDs. */
function bareSpec({ name = '', uuid, instanceUuid, guestId, version }: SavedConfig, vmPathName: string): Change {
  const files = make('VirtualMachineFileInfo', { vmPathName });
  return { name, files, uuid, instanceUuid, guestId, version };
}

/** As most VMs are: nothing of it is refused. Undefined: something is. */
function planAtOnce(host: SimHost, bare: Change, changes: readonly Wanted[]): Config | undefined {
  const all = changes.map(({ ways: [first] }) => first ?? {});
  const deviceChange = all.flatMap((change) => change.deviceChange ?? []);
  return plan(() => host.planVm(make('VirtualMachineConfigSpec', Object.assign({}, bare, ...all, { deviceChange }))));
}

/** What is refused is left out, and noted. Throws FlagError when nothing is left. */
function planInSteps(
  { leftOut }: Loading,
  { object }: TreeNode,
  host: SimHost,
  { bare, changes }: { readonly bare: Change; readonly changes: readonly Wanted[] },
): Config {
  const unversioned = { ...bare, version: undefined };
  const bareWays = [bare, unversioned, { ...unversioned, guestId: 'otherGuest64' }];
  let config = firstOf(bareWays, (way) => host.planVm(make('VirtualMachineConfigSpec', way)));
  if (!config)
    throw wrong(object, 'no VM can be made of it: its name, its UUIDs or its files are none that a VM may have');
  for (const { what, ways } of changes) {
    const former = config;
    const changed = firstOf(ways, (way) => host.planMore(former, make('VirtualMachineConfigSpec', way)));
    if (changed) config = changed;
    else leftOut.note(what);
  }
  return config;
}

function firstOf(ways: readonly Change[], attempt: (way: Change) => Config): Config | undefined {
  for (const way of ways) {
    const made = plan(() => attempt(way));
    if (made) return made;
  }
  return undefined;
}

/** Undefined: it is refused. */
function plan(attempt: () => Config): Config | undefined {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof MethodFault) return undefined;
    throw error;
  }
}

/** Its own path; where another VM has that, as after a template was deployed twice, a free one. Throws FlagError. */
function vmPathOf(
  { leftOut }: Loading,
  { object }: TreeNode,
  { files }: SavedConfig,
  { host, datastores }: LoadedHost,
): string {
  const said = files?.vmPathName ?? '';
  const [, datastore = ''] = /^\[([^\]]*)\]/.exec(said) ?? [];
  if (!datastores.has(datastore))
    throw wrong(object, `its host does not mount the datastore of ${said === '' ? 'its files' : said}`);
  const path = said.replace(/\.vmtx$/i, '.vmx');
  if (!host.hasFile(path)) return path;
  leftOut.note('paths that another VM has');
  return `[${datastore}]`;
}

function settingsOf(saved: SavedConfig): Wanted[] {
  const { hardware, annotation, cpuAllocation, memoryAllocation, firmware, extraConfig, alternateGuestName } = saved;
  const { numCPU, numCoresPerSocket, memoryMB } = hardware ?? {};
  const options = (extraConfig ?? []).filter(({ key, value }) => key !== undefined && value !== undefined);
  return [
    {
      what: 'sizes of VMs',
      ways: [{ numCPUs: numCPU, numCoresPerSocket, memoryMB }, { numCPUs: numCPU, memoryMB }, { memoryMB }],
    },
    { what: 'firmware', ways: [{ firmware }] },
    { what: 'annotations', ways: [{ annotation, alternateGuestName }] },
    {
      what: 'allocations of VMs',
      ways: [{ cpuAllocation: cpuAllocation as never, memoryAllocation: memoryAllocation as never }],
    },
    { what: 'extraConfig', ways: [{ extraConfig: options as never }] },
  ];
}

/** Its configuration is in a .vmtx: that is what a template is. */
function asTemplate(config: Config): Config {
  const vmPathName = config.files.vmPathName?.replace(/\.vmx$/i, '.vmtx');
  return { ...config, template: true, files: { ...config.files, ...(vmPathName ? { vmPathName } : {}) } };
}
