// What the parts of loading have in common: the saved tree, vCenter's records, the simulated hosts, and what was left out.
import type { Random } from '@vivarium/base';
import { type CenterRecords, escapeName } from '@vivarium/vcenter';
import { type ManagedObjectReference, MethodFault, type MoRef } from '@vivarium/vim';
import type { HostMaker } from '../make-host.ts';
import { ofType, type Saved } from './read-saved.ts';
import { type SavedType, told, wrong } from './saved-object.ts';
import type { SavedTree, TreeNode } from './saved-tree.ts';

export interface Loading {
  readonly saved: Saved;
  readonly tree: SavedTree;
  readonly records: CenterRecords;
  readonly maker: HostMaker;
  readonly random: Random;
  readonly leftOut: LeftOut;
}

/** Things of the saved inventory that are not simulated, counted by what they are. */
export class LeftOut {
  readonly #counts = new Map<string, number>();

  note(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  /** What `attempt` makes; undefined, and noted as left out, when it is refused. */
  try<T>(what: string, attempt: () => T): T | undefined {
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof MethodFault)) throw error;
      this.note(what);
      return undefined;
    }
  }

  /** `3 VirtualTPM`, by name. */
  list(): string[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${count} ${what}`);
  }
}

export function nodesOf({ tree }: Pick<Loading, 'tree'>, ...types: readonly SavedType[]): TreeNode[] {
  return tree.nodes.filter(({ object }) => (types as readonly string[]).includes(object.ref.type));
}

/** As the inventory keeps it. Throws FlagError. */
export function nameOf({ object }: TreeNode): string {
  const name = told(object, 'Folder', 'name');
  if (name === undefined || name.trim() === '') throw wrong(object, 'it has no name');
  return escapeName(name);
}

/** What an object names has to be there, too. Throws FlagError. */
export function named(
  { tree }: Pick<Loading, 'tree'>,
  { object }: TreeNode,
  {
    property,
    ref,
    types,
  }: {
    readonly property: string;
    readonly ref: ManagedObjectReference | undefined;
    readonly types: readonly SavedType[];
  },
): TreeNode {
  const found = tree.find(ref);
  if (found && (types as readonly string[]).includes(found.object.ref.type)) return found;
  const what = ref ? `${ref.type}:${ref.value}` : 'nothing';
  throw wrong(object, `its ${property} is ${what}, which is ${found ? `no ${types.join(' or ')}` : 'in no file'}`);
}

/** The datacenter around a node. Throws FlagError. */
export function datacenterOf({ tree }: Pick<Loading, 'tree'>, node: TreeNode): TreeNode {
  const datacenter = tree.above(node, 'Datacenter');
  if (!datacenter) throw wrong(node.object, 'it is in no datacenter');
  return datacenter;
}

export function refOf<T extends SavedType>(node: TreeNode, _type: T): MoRef<T> {
  return node.ref as MoRef as MoRef<T>;
}

export { ofType };
