// Datastores and networks are the hosts' together: one object of ours for what several hosts have under the same URL or name.
// Keeps what each host says of each, and makes one picture of it.
import { type DatastoreHostMount, type MoRef, make, moRefKey, type Properties } from '@vivarium/vim';
import type { ObjectGraph } from '@vivarium/vmomi';
import type { MemberLists } from '../inventory/member-lists.ts';

type Said = Readonly<Record<string, unknown>>;

interface Entry {
  readonly host: MoRef<'HostSystem'>;
  readonly owner: MoRef<'ComputeResource'>;
  readonly said: Said;
  /** Of a datastore. */
  readonly mount: DatastoreHostMount | undefined;
}

type SharedType = 'Datastore' | 'Network' | 'DistributedVirtualPortgroup';

export class SharedObjects {
  readonly #graph: ObjectGraph;
  readonly #lists: MemberLists;
  /** Ours → host → what it says, in our words. */
  readonly #said = new Map<string, Map<string, Entry>>();

  constructor(graph: ObjectGraph, lists: MemberLists) {
    this.#graph = graph;
    this.#lists = lists;
  }

  /** A host has it, or has news of it. */
  report(ref: MoRef<SharedType>, host: MoRef<'HostSystem'>, owner: MoRef<'ComputeResource'>, said: Said): void {
    const key = moRefKey(ref);
    const hosts = this.#said.get(key) ?? new Map<string, Entry>();
    this.#said.set(key, hosts);
    if (!hosts.has(host.value)) {
      const property = listOf(ref);
      this.#lists.add(host, property, ref);
      this.#lists.add(owner, property, ref);
      if (property === 'network') this.#lists.add(ref, 'host', host);
    }
    hosts.set(host.value, { host, owner, said, mount: mountOf(host, said) });
    this.#publish(ref);
  }

  /** A host no longer has it. Tells whether another one still has. */
  withdraw(ref: MoRef<SharedType>, host: MoRef<'HostSystem'>): boolean {
    const hosts = this.#said.get(moRefKey(ref));
    const entry = hosts?.get(host.value);
    if (hosts?.delete(host.value)) {
      const property = listOf(ref);
      this.#lists.remove(host, property, ref);
      // Of the compute resource that the host was in when it told of it.
      if (entry) this.#lists.remove(entry.owner, property, ref);
      if (property === 'network') this.#lists.remove(ref, 'host', host);
    }
    if (!hosts || hosts.size === 0) {
      this.#said.delete(moRefKey(ref));
      // A distributed port group is vCenter's own: it is there without hosts as well.
      return isOwn(ref);
    }
    this.#publish(ref);
    return true;
  }

  /** It leaves the inventory, whoever still has it. */
  forget(ref: MoRef<SharedType>): void {
    for (const { host } of [...(this.#said.get(moRefKey(ref))?.values() ?? [])]) this.withdraw(ref, host);
    this.#said.delete(moRefKey(ref));
  }

  /** The hosts that have it. */
  hostsOf(ref: MoRef<SharedType>): MoRef<'HostSystem'>[] {
    return Array.from(this.#said.get(moRefKey(ref))?.values() ?? [], ({ host }) => host);
  }

  #publish(ref: MoRef<SharedType>): void {
    if (isOwn(ref)) return;
    const hosts = [...(this.#said.get(moRefKey(ref))?.values() ?? [])];
    const latest = hosts.at(-1);
    const object = this.#graph.find(ref);
    if (!latest || !object) return;
    const { name: _name, parent: _parent, host: _host, vm: _vm, ...said } = latest.said;
    const name = object.getPath('name');
    object.update(ref.type === 'Network' ? networkFace(said, name) : { ...datastoreFace(said, name, hosts) });
  }
}

function isOwn(ref: MoRef<SharedType>): ref is MoRef<'DistributedVirtualPortgroup'> {
  return ref.type === 'DistributedVirtualPortgroup';
}

function listOf({ type }: MoRef<SharedType>): string {
  return type === 'Datastore' ? 'datastore' : 'network';
}

function networkFace(said: Said, name: unknown): Said {
  return { ...said, summary: { ...(said['summary'] as object), name } };
}

function datastoreFace(said: Said, name: unknown, hosts: readonly Entry[]): Properties<'Datastore'> {
  return {
    ...said,
    summary: { ...(said['summary'] as object), name, multipleHostAccess: hosts.length > 1 },
    info: { ...(said['info'] as object), name },
    host: hosts.flatMap(({ mount }) => mount ?? []),
  } as Properties<'Datastore'>;
}

function mountOf(host: MoRef<'HostSystem'>, said: Said): DatastoreHostMount | undefined {
  const [mount] = (said['host'] as DatastoreHostMount[] | undefined) ?? [];
  return mount && make('DatastoreHostMount', { ...mount, key: host });
}
