// Puts the fixed part of a host's inventory into the graph: root folder, datacenter, its folders, the compute resource.
import type { Handlers, MoRef } from '@vivarium/vim';
import type { Call, ObjectGraph } from '@vivarium/vmomi';
import { refs } from './refs.ts';

/** `vmFolder` carries the methods that make VMs; every other folder of a host refuses to change. */
export function buildTree(graph: ObjectGraph, vmFolder: Handlers<'Folder', Call>): void {
  const entity = (name: string, parent?: MoRef<'ManagedEntity'>) =>
    ({ name, overallStatus: 'green', configStatus: 'green', ...(parent ? { parent } : {}) }) as const;
  graph.add(refs.rootFolder, {
    ...entity('ha-folder-root'),
    childType: ['Datacenter'],
    childEntity: [refs.datacenter],
  });
  graph.add(refs.datacenter, {
    ...entity('ha-datacenter', refs.rootFolder),
    vmFolder: refs.vmFolder,
    hostFolder: refs.hostFolder,
    datastoreFolder: refs.datastoreFolder,
    networkFolder: refs.networkFolder,
    datastore: [],
    network: [],
  });
  graph.add(
    refs.vmFolder,
    { ...entity('vm', refs.datacenter), childType: ['VirtualMachine'], childEntity: [] },
    vmFolder,
  );
  graph.add(refs.hostFolder, {
    ...entity('host', refs.datacenter),
    childType: ['ComputeResource'],
    childEntity: [refs.computeResource],
  });
  graph.add(refs.datastoreFolder, {
    ...entity('datastore', refs.datacenter),
    childType: ['Datastore'],
    childEntity: [],
  });
  graph.add(refs.networkFolder, { ...entity('network', refs.datacenter), childType: ['Network'], childEntity: [] });
}

type ListOwner = 'VirtualMachine' | 'Datastore' | 'Network';

// Every place in a host's inventory that lists the objects of one kind.
const lists: Readonly<Record<ListOwner, readonly { readonly ref: MoRef; readonly property: string }[]>> = {
  VirtualMachine: [
    { ref: refs.vmFolder, property: 'childEntity' },
    { ref: refs.host, property: 'vm' },
  ],
  Datastore: [
    { ref: refs.datastoreFolder, property: 'childEntity' },
    { ref: refs.datacenter, property: 'datastore' },
    { ref: refs.computeResource, property: 'datastore' },
    { ref: refs.host, property: 'datastore' },
  ],
  Network: [
    { ref: refs.networkFolder, property: 'childEntity' },
    { ref: refs.datacenter, property: 'network' },
    { ref: refs.computeResource, property: 'network' },
    { ref: refs.host, property: 'network' },
  ],
};

/** Makes the inventory's lists of one kind name exactly `members`. */
export function listMembers(graph: ObjectGraph, kind: ListOwner, members: readonly MoRef[]): void {
  for (const { ref, property } of lists[kind]) graph.get(ref).set(property, [...members]);
}
