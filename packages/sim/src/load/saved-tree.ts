// The saved objects as the tree that they were: who is in whom, from the root folder down; and which references they get here. Pure.
import { type ManagedObjectReference, type MoRef, moRef, moRefKey } from '@vivarium/vim';
import { FlagError } from '../flags.ts';
import { ofType, type Saved } from './read-saved.ts';
import { type SavedObject, type SavedType, told, wrong } from './saved-object.ts';

/** Which types a parent may have; a VM in a vApp has none. */
const PARENTS: { readonly [T in SavedType]?: readonly SavedType[] } = {
  Folder: ['Folder', 'Datacenter'],
  Datacenter: ['Folder'],
  ComputeResource: ['Folder'],
  ClusterComputeResource: ['Folder'],
  ResourcePool: ['ComputeResource', 'ClusterComputeResource', 'ResourcePool', 'VirtualApp'],
  VirtualApp: ['ResourcePool', 'VirtualApp'],
  HostSystem: ['ComputeResource', 'ClusterComputeResource'],
  StoragePod: ['Folder'],
  Datastore: ['Folder', 'StoragePod'],
  Network: ['Folder'],
  DistributedVirtualSwitch: ['Folder'],
  VmwareDistributedVirtualSwitch: ['Folder'],
  DistributedVirtualPortgroup: ['Folder'],
  VirtualMachine: ['Folder', 'VirtualApp'],
};
/** How ids of the types begin; those that vCenter would give are kept. */
const PREFIXES: { readonly [T in SavedType]?: { readonly own: string; readonly kept?: RegExp } } = {
  Folder: { own: 'group-d', kept: /^group-[dvhsn]?$/ },
  StoragePod: { own: 'group-p' },
  Datacenter: { own: 'datacenter-' },
  ComputeResource: { own: 'domain-s' },
  ClusterComputeResource: { own: 'domain-c' },
  ResourcePool: { own: 'resgroup-' },
  VirtualApp: { own: 'resgroup-v' },
  HostSystem: { own: 'host-' },
  VirtualMachine: { own: 'vm-' },
  Datastore: { own: 'datastore-' },
  Network: { own: 'network-' },
  VmwareDistributedVirtualSwitch: { own: 'dvs-' },
  DistributedVirtualPortgroup: { own: 'dvportgroup-' },
};

export interface TreeNode {
  readonly object: SavedObject;
  /** Of ours. */
  readonly ref: MoRef;
  readonly parent: TreeNode | undefined;
  readonly children: TreeNode[];
}

export interface SavedTree {
  readonly root: TreeNode;
  /** Parents before children. */
  readonly nodes: readonly TreeNode[];
  /** The highest number in an id so far. */
  readonly lastNumber: number;
  /** For what has to be there and was not saved. */
  newRef<T extends SavedType>(type: T): MoRef<T>;
  find(ref: ManagedObjectReference | undefined): TreeNode | undefined;
  /** The nearest node of the type around another. */
  above(node: TreeNode, type: SavedType): TreeNode | undefined;
}

/** `rootFolder`: of ours. Throws FlagError. */
export function treeOf(saved: Saved, rootFolder: MoRef<'Folder'>): SavedTree {
  const root = findRoot(saved);
  const byParent = new Map<string, SavedObject[]>();
  for (const object of saved.objects.values()) {
    const types = PARENTS[object.ref.type as SavedType];
    if (!types || object === root) continue;
    const parent = parentOf(object);
    if (!parent) throw wrong(object, `${moRefKey(object.ref)} has no parent`);
    const key = moRefKey(parent);
    if (!saved.objects.has(key)) throw wrong(object, `its parent ${key} is in no file`);
    if (!(types as readonly string[]).includes(parent.type)) throw wrong(object, `it cannot be in a ${parent.type}`);
    const siblings = byParent.get(key) ?? [];
    byParent.set(key, siblings);
    siblings.push(object);
  }
  const nodes: TreeNode[] = [];
  const byKey = new Map<string, TreeNode>();
  let lastNumber = [...numbersOf(saved)].reduce((most, number) => Math.max(most, number), 1);
  const ids = new Set([rootFolder.value]);
  const newRef = <T extends SavedType>(type: T): MoRef<T> => {
    lastNumber += 1;
    return moRef(type, `${PREFIXES[type]?.own ?? ''}${lastNumber}`);
  };
  const refOf = ({ ref }: SavedObject): MoRef => {
    const type = typeHere(ref.type);
    const isKept = keptNumber(ref) !== undefined && !ids.has(ref.value);
    if (!isKept) return newRef(type) as MoRef;
    ids.add(ref.value);
    return moRef(type as 'Folder', ref.value);
  };
  const waiting: { readonly object: SavedObject; readonly parent: TreeNode | undefined }[] = [
    { object: root, parent: undefined },
  ];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { object, parent } = next;
    const node: TreeNode = { object, parent, ref: parent ? refOf(object) : (rootFolder as MoRef), children: [] };
    parent?.children.push(node);
    nodes.push(node);
    byKey.set(moRefKey(object.ref), node);
    for (const child of byParent.get(moRefKey(object.ref)) ?? []) waiting.push({ object: child, parent: node });
  }
  for (const siblings of byParent.values()) {
    const lost = siblings.find(({ ref }) => !byKey.has(moRefKey(ref)));
    if (lost) throw wrong(lost, 'its parents lead round in a circle');
  }
  return {
    root: nodes[0] as TreeNode,
    nodes,
    get lastNumber() {
      return lastNumber;
    },
    newRef,
    find: (ref) => (ref ? byKey.get(moRefKey(ref)) : undefined),
    above(node, type) {
      let at: TreeNode | undefined = node;
      while (at && at.object.ref.type !== type) at = at.parent;
      return at;
    },
  };
}

function typeHere(type: string): SavedType {
  return (type === 'DistributedVirtualSwitch' ? 'VmwareDistributedVirtualSwitch' : type) as SavedType;
}

/** The number in an id that is as vCenter makes them. */
function keptNumber({ type, value }: ManagedObjectReference): number | undefined {
  const [, prefix = '', digits = ''] = /^([a-z-]*?)(\d{1,9})$/.exec(value) ?? [];
  const known = PREFIXES[typeHere(type)];
  if (digits === '' || !known) return undefined;
  return prefix === known.own || known.kept?.test(prefix) ? Number(digits) : undefined;
}

function* numbersOf({ objects }: Saved): Iterable<number> {
  for (const { ref } of objects.values()) yield keptNumber(ref) ?? 0;
}

function findRoot(saved: Saved): SavedObject {
  const roots = [...ofType(saved, 'Folder')].filter((folder) => !told(folder, 'Folder', 'parent'));
  const [root, another] = roots;
  if (!root) throw new FlagError('-load: there is no root folder; save all of it: govc object.save -d FOLDER');
  if (another) throw wrong(another, `there is a second folder without a parent beside ${moRefKey(root.ref)}`);
  return root;
}

function parentOf(object: SavedObject): ManagedObjectReference | undefined {
  return told(object, 'VirtualMachine', 'parent') ?? told(object, 'VirtualMachine', 'parentVApp');
}
