// What it needs to put a VM's files on datastores and its cards on networks. Reads the graph, changes nothing.
// Source: vSphere Security, "Required Privileges for Common Tasks": Datastore.AllocateSpace where files are made, Datastore.Browse
// where a file that is there is taken, Network.Assign on the network.
import type { MoRef, VirtualDevice, VirtualMachineConfigSpec } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import { plainName } from '../search-index/inventory-path.ts';
import { filePlace } from './file-place.ts';
import { objectsAt, on, type Requirement } from './requirement.ts';

interface Backing {
  readonly fileName?: string;
  readonly datastore?: MoRef;
  readonly network?: MoRef;
  readonly deviceName?: string;
  readonly port?: { readonly portgroupKey?: string };
}

const NO_DEVICES: readonly VirtualDevice[] = [];
const MOST_LEVELS = 64;

/** Folder.CreateVM_Task: where its home is (on any datastore, if that is not said), and what its devices come to. */
export function newVmRequirements(
  graph: ObjectGraph,
  folder: ManagedObject,
  config: VirtualMachineConfigSpec,
): Requirement[] {
  const home = config.files?.vmPathName?.trim() ?? '';
  return [
    ...(home === ''
      ? on('Datastore.AllocateSpace', ...datastoresNear(graph, folder))
      : fileRequirements(graph, folder, 'Datastore.AllocateSpace', home)),
    ...deviceRequirements(graph, folder, config),
  ];
}

/** What the devices of a specification come to that they are not at already. `near`: the VM, or the folder where it will be. */
export function deviceRequirements(
  graph: ObjectGraph,
  near: ManagedObject,
  { deviceChange = [] }: VirtualMachineConfigSpec,
): Requirement[] {
  const known =
    near.ref.type === 'VirtualMachine' ? (near.getPath('config.hardware.device') ?? NO_DEVICES) : NO_DEVICES;
  return deviceChange.flatMap(({ operation, fileOperation, device }) => {
    if (operation === 'remove') return [];
    const former = (known as readonly VirtualDevice[]).find(({ key }) => key === device.key)?.backing as
      | Backing
      | undefined;
    const backing = (device.backing ?? {}) as Backing;
    const privilege = fileOperation === undefined ? 'Datastore.Browse' : 'Datastore.AllocateSpace';
    return [
      ...backingRequirements(graph, near, privilege, { backing, former }),
      ...on('Network.Assign', ...networksOf(graph, near, backing, former)),
    ];
  });
}

/** By its path, by the datastore that is named beside it, or, for a new file without either, where the VM's home is. */
function backingRequirements(
  graph: ObjectGraph,
  near: ManagedObject,
  privilege: string,
  { backing, former }: { readonly backing: Backing; readonly former: Backing | undefined },
): Requirement[] {
  const { fileName, datastore } = backing;
  const named = datastore && datastore.value !== former?.datastore?.value ? graph.find(datastore) : undefined;
  const beside = named ? on(privilege, named) : [];
  if (fileName === undefined || fileName === former?.fileName) return beside;
  if (filePlace(fileName)) return [...beside, ...fileRequirements(graph, near, privilege, fileName)];
  const home = near.getPath('config.files.vmPathName');
  const isAtHome = !named && typeof home === 'string';
  return isAtHome ? fileRequirements(graph, near, privilege, home) : beside;
}

/** The datastore that a path means here; a name that there is not needs nothing, and comes to nothing. */
export function fileRequirements(
  graph: ObjectGraph,
  near: ManagedObject,
  privilege: string,
  path: string,
): Requirement[] {
  return on(privilege, ...datastoresNamed(datastoresNear(graph, near), path));
}

/** Those of `datastores` that a path names: by name, or by what their URL says. */
export function datastoresNamed(datastores: readonly ManagedObject[], path: string): ManagedObject[] {
  const name = filePlace(path)?.datastore;
  if (name === undefined) return [];
  const url = `ds:///vmfs/volumes/${name}/`;
  return datastores.filter((one) => isNamed(one, name) || one.getPath('summary.url') === url);
}

function datastoresNear(graph: ObjectGraph, near: ManagedObject): ManagedObject[] {
  return objectsAt(graph, datacenterOf(graph, near), 'datastore');
}

function networksOf(
  graph: ObjectGraph,
  near: ManagedObject,
  { network, deviceName, port }: Backing,
  former: Backing | undefined,
): ManagedObject[] {
  const all = () => objectsAt(graph, datacenterOf(graph, near), 'network');
  const found: ManagedObject[] = [];
  if (port?.portgroupKey !== undefined && port.portgroupKey !== former?.port?.portgroupKey) {
    found.push(...all().filter(({ ref }) => ref.value === port.portgroupKey));
  }
  // A host goes by the name, whatever reference is sent with it.
  if (deviceName !== undefined && deviceName !== former?.deviceName) {
    found.push(...all().filter((one) => isNamed(one, deviceName)));
  }
  const named = network && graph.find(network);
  if (named && network.value !== former?.network?.value && !found.includes(named)) found.push(named);
  return found;
}

/** Paths and backings name things as people do, or as inventory paths do. */
function isNamed(object: ManagedObject, name: string): boolean {
  return plainName(String(object.getPath('name'))) === plainName(name);
}

export function datacenterOf(graph: ObjectGraph, near: ManagedObject): ManagedObject | undefined {
  let at: ManagedObject | undefined = near;
  for (let level = 0; at && level < MOST_LEVELS; level++) {
    if (at.ref.type === 'Datacenter') return at;
    const above: MoRef | undefined = at.parent ?? (at.getPath('parentVApp') as MoRef | undefined);
    at = above && graph.find(above);
  }
  return undefined;
}
