// The simulated hosts of a saved inventory: machines as large as they were, with their datastores and standard networks.
import { uuid } from '@vivarium/base';
import type { GuestFacts, MachineFacts } from '@vivarium/host/view';
import { type HostPortGroupSpec, MethodFault, make, type Told } from '@vivarium/vim';
import type { SimDatastore } from '../sim-datastore.ts';
import { SimFiles } from '../sim-files.ts';
import type { SimHost } from '../sim-host.ts';
import type { SimVmState } from '../sim-vm.ts';
import { type Loading, nameOf, nodesOf } from './loading.ts';
import { told, wrong } from './saved-object.ts';
import type { TreeNode } from './saved-tree.ts';

const FIRST_SWITCH = 'vSwitch0';
const MOST_BYTES = 2 ** 60;
/** Of a host that does not say what it has. */
const LEAST_MHZ = 100;

/** The datastores as hosts mount them, by node. Throws FlagError. */
export function loadDatastores(loading: Loading): ReadonlyMap<TreeNode, SimDatastore> {
  const urls = new Set<string>();
  return new Map(
    nodesOf(loading, 'Datastore').map((node) => {
      const { object } = node;
      const info = told(object, 'Datastore', 'info');
      const summary = told(object, 'Datastore', 'summary');
      const said = info?.url ?? summary?.url ?? '';
      // Known by its URL: each has its own.
      const url = said === '' || urls.has(said) ? `ds:///vmfs/volumes/${uuid(loading.random)}/` : said;
      urls.add(url);
      const name = told(object, 'Datastore', 'name') ?? nameOf(node);
      const nas = info && 'nas' in info ? (info.nas as Told<{ remoteHost: string; remotePath: string }>) : undefined;
      const remote = nas ? { remote: { host: nas.remoteHost ?? '', path: nas.remotePath ?? '' } } : {};
      const capacityBytes = Math.min(Math.max(0, summary?.capacity ?? 0), MOST_BYTES);
      return [node, { name, url, capacityBytes, files: new SimFiles(name), ...remote }] as const;
    }),
  );
}

export interface LoadedHost {
  readonly node: TreeNode;
  readonly host: SimHost;
  /** By name, as the host has them. */
  readonly datastores: ReadonlyMap<string, TreeNode>;
}

/** Throws FlagError. `guestOf`: what is known of the guest of a VM. */
export function loadHosts(
  loading: Loading,
  datastores: ReadonlyMap<TreeNode, SimDatastore>,
  guestOf: (config: SimVmState['config']) => GuestFacts | undefined,
): LoadedHost[] {
  const mounted = new Map<TreeNode, TreeNode[]>();
  for (const node of datastores.keys()) {
    for (const { key } of told(node.object, 'Datastore', 'host') ?? []) {
      const host = loading.tree.find(key);
      if (host) mounted.set(host, [...(mounted.get(host) ?? []), node]);
    }
  }
  const uuids = new Set<string>();
  return nodesOf(loading, 'HostSystem').map((node): LoadedHost => {
    if (loading.maker.find(nameOf(node))) throw wrong(node.object, `there is another host ${nameOf(node)}`);
    const own = mounted.get(node) ?? [];
    const stores = own.flatMap((one) => datastores.get(one) ?? []);
    const { uuid: said, ...machine } = machineOf(node);
    const known = said === undefined || uuids.has(said) ? {} : { uuid: said };
    if (said !== undefined) uuids.add(said);
    const host = loading.maker.make(nameOf(node), stores, { machine: { ...machine, ...known }, guestOf });
    loadNetworks(loading, node, host);
    return { node, host, datastores: new Map(own.map((one, index) => [stores[index]?.name ?? '', one])) };
  });
}

/** The machine as far as the host says. */
function machineOf({ object }: TreeNode): Partial<MachineFacts> {
  const { systemInfo, cpuInfo, cpuPkg = [], memorySize } = told(object, 'HostSystem', 'hardware') ?? {};
  const summary = told(object, 'HostSystem', 'summary')?.hardware;
  const cores = cpuInfo?.numCpuCores ?? summary?.numCpuCores;
  const threads = cpuInfo?.numCpuThreads ?? summary?.numCpuThreads ?? cores;
  const mhz = Math.round((cpuInfo?.hz ?? 0) / 1e6) || summary?.cpuMhz;
  const [first] = cpuPkg;
  const packages = Math.max(1, cpuInfo?.numCpuPackages ?? cpuPkg.length);
  const isWhole =
    cores !== undefined &&
    threads !== undefined &&
    cores > 0 &&
    threads >= cores &&
    threads <= 4096 &&
    packages <= cores;
  const memoryBytes = memorySize ?? summary?.memorySize;
  const cpuModel = first?.description ?? summary?.cpuModel;
  return {
    ...defined({
      vendor: systemInfo?.vendor ?? summary?.vendor,
      model: systemInfo?.model ?? summary?.model,
      uuid: (systemInfo?.uuid ?? summary?.uuid)?.toLowerCase() || undefined,
      cpuModel,
      cpuVendor: first?.vendor,
      cpuMhz: mhz !== undefined && mhz >= LEAST_MHZ ? mhz : undefined,
      memoryBytes: memoryBytes !== undefined && memoryBytes > 0 && memoryBytes <= MOST_BYTES ? memoryBytes : undefined,
    }),
    ...(isWhole ? { cores, threads, packages: packagesOf(packages, threads) } : {}),
  };
}

/** Threads in their order, a package's together. */
function packagesOf(count: number, threads: number): MachineFacts['packages'] {
  const each = Math.ceil(threads / count);
  return Array.from({ length: count }, (_, index) => ({
    index,
    threads: Array.from(
      { length: Math.max(0, Math.min(each, threads - index * each)) },
      (_one, at) => index * each + at,
    ),
  }));
}

/** Standard switches and port groups; the host is left with those that it had. */
function loadNetworks(loading: Loading, node: TreeNode, host: SimHost): void {
  const { object } = node;
  const networks = (told(object, 'HostSystem', 'network') ?? []).flatMap((ref) => loading.tree.find(ref) ?? []);
  const names = networks.filter((one) => one.object.ref.type === 'Network').map(nameOf);
  const specs = new Map<string, Told<HostPortGroupSpec>>();
  for (const { spec } of told(object, 'HostSystem', 'config')?.network?.portgroup ?? [])
    if (spec?.name) specs.set(spec.name, spec);
  const switches = new Set([FIRST_SWITCH]);
  for (const name of host.networkNames)
    if (!names.includes(name)) host.changeNetwork('RemovePortGroup', { pgName: name });
  for (const name of names) {
    if (host.networkNames.includes(name)) continue;
    const { vswitchName = FIRST_SWITCH, vlanId = 0 } = specs.get(name) ?? {};
    try {
      if (!switches.has(vswitchName)) host.changeNetwork('AddVirtualSwitch', { vswitchName });
      switches.add(vswitchName);
      const portgrp = make('HostPortGroupSpec', { name, vlanId, vswitchName, policy: make('HostNetworkPolicy', {}) });
      host.changeNetwork('AddPortGroup', { portgrp });
    } catch (error) {
      if (!(error instanceof MethodFault)) throw error;
      throw wrong(object, `its port group ${name} cannot be made: ${error.message}`);
    }
  }
}

function defined<T extends object>(value: T): { [P in keyof T]?: NonNullable<T[P]> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never;
}
