// For tests: all that random operations change in a vCenter, as flat facts under readable names: 'vm v3', 'tag t7 on v3'.
import { type MoRef, moRef, schema } from '@vivarium/vim';
import type { SsoDomain } from '../../sso/sso-domain.ts';
import type { Tagging } from '../../tagging/tagging.ts';
import type { FakeHost } from '../fake-host.ts';
import type { TestCenter } from '../test-center.ts';
import { services } from './service-facts.ts';

export type Picture = Readonly<Record<string, unknown>>;

/** A vCenter with the services beside its inventory, as vpxd puts them together. */
export interface World {
  readonly center: TestCenter;
  readonly domain: SsoDomain;
  readonly tagging: Tagging;
  /** Those that VMs are on. */
  readonly hosts: readonly FakeHost[];
  /** Methods that were called through the dispatch, as `Type.Method`. */
  readonly called: Set<string>;
}

/** What an operation has made is called by a letter and a number. */
const MADE = /^[a-z]\d+$/;
export type Named =
  | 'Folder'
  | 'Datacenter'
  | 'ClusterComputeResource'
  | 'StoragePod'
  | 'Datastore'
  | 'HostSystem'
  | 'ResourcePool'
  | 'VirtualApp'
  | 'VirtualMachine'
  | 'VmwareDistributedVirtualSwitch'
  | 'DistributedVirtualPortgroup';

/** One of the test's own datacenter. */
export function ownFolder(
  { service }: Pick<TestCenter, 'service'>,
  folder: 'vmFolder' | 'hostFolder' | 'datastoreFolder' | 'networkFolder',
): MoRef {
  const datacenter = [...service.graph.ofType('Datacenter')].find((object) => object.getPath('name') === 'DC0');
  return datacenter?.get(folder) as MoRef;
}

export const networkFolder = (center: Pick<TestCenter, 'service'>) => ownFolder(center, 'networkFolder');

function ownCluster({ service }: Pick<TestCenter, 'service'>) {
  return [...service.graph.ofType('ClusterComputeResource')].find((object) => object.getPath('name') === 'C0');
}

/** An entity by its name; the root of its kind for ''. */
export function named(center: TestCenter, type: Named, name: string): MoRef {
  if (name === '') {
    if (type === 'ClusterComputeResource') return ownCluster(center)?.ref as MoRef;
    return type === 'ResourcePool' ? (ownCluster(center)?.get('resourcePool') as MoRef) : ownFolder(center, 'vmFolder');
  }
  const found = [...center.service.graph.ofType(type)].find((object) => object.getPath('name') === name);
  if (!found) throw new Error(`there is no ${type} ${name}`);
  return found.ref as MoRef;
}

/** A pool, or a vApp, which is one. */
export function poolNamed(center: TestCenter, name: string): MoRef {
  return named(center, /^a\d/.test(name) ? 'VirtualApp' : 'ResourcePool', name);
}

export function look(world: World): Picture {
  return sorted({
    ...inventory(world),
    ...rights(world),
    ...fields(world),
    ...tags(world),
    ...users(world),
    ...services(world.center),
  });
}

function* made({ center }: World, type: Named): Generator<[name: string, ref: MoRef]> {
  for (const { ref } of center.service.graph.ofType(type)) {
    const name = center.read<string>(ref as MoRef, 'name');
    if (MADE.test(name)) yield [name, ref as MoRef];
  }
}

function inventory(world: World): Record<string, unknown> {
  const { center } = world;
  const read = <T = MoRef>(ref: MoRef, path: string) => center.read<T | undefined>(ref, path);
  const nameOf = (ref: MoRef | undefined) => {
    if (!ref) return undefined;
    const name = center.read<string>(ref, 'name');
    return MADE.test(name) ? name : '';
  };
  const found: Record<string, unknown> = {};
  for (const [name, ref] of made(world, 'Folder')) found[`folder ${name}`] = nameOf(read(ref, 'parent'));
  for (const [name, ref] of made(world, 'ResourcePool')) {
    const limit = read<number>(ref, 'config.memoryAllocation.limit');
    found[`pool ${name}`] = { parent: nameOf(read(ref, 'parent')), limit };
  }
  for (const [name, ref] of made(world, 'VirtualApp')) {
    const note = read<string>(ref, 'vAppConfig.annotation') ?? '';
    found[`app ${name}`] = {
      pool: nameOf(read(ref, 'parent')),
      folder: nameOf(read(ref, 'parentFolder')) ?? null,
      note,
    };
  }
  for (const [name, ref] of made(world, 'VirtualMachine')) {
    const [folder, pool, power] = [
      read(ref, 'parent'),
      read(ref, 'resourcePool'),
      read<string>(ref, 'runtime.powerState'),
    ];
    found[`vm ${name}`] = { folder: nameOf(folder) ?? null, pool: nameOf(pool), power };
  }
  for (const [name, ref] of made(world, 'VmwareDistributedVirtualSwitch')) {
    found[`switch ${name}`] = { note: read<string>(ref, 'config.description') ?? '' };
  }
  for (const [name, ref] of made(world, 'DistributedVirtualPortgroup')) {
    const ports = read<number>(ref, 'config.numPorts');
    found[`portgroup ${name}`] = { dvs: nameOf(read(ref, 'config.distributedVirtualSwitch')), ports };
  }
  for (const [name] of made(world, 'Datacenter')) found[`datacenter ${name}`] = true;
  for (const [name] of made(world, 'StoragePod')) found[`pod ${name}`] = true;
  for (const [name, ref] of made(world, 'Datastore')) found[`datastore ${name}`] = { pod: nameOf(read(ref, 'parent')) };
  for (const [name, ref] of made(world, 'ClusterComputeResource')) {
    found[`cluster ${name}`] = { drs: read<boolean>(ref, 'configurationEx.drsConfig.enabled') ?? false };
  }
  for (const [name, ref] of made(world, 'HostSystem')) {
    const parent = read(ref, 'parent') as MoRef;
    found[`host ${name}`] = {
      cluster: parent.type === 'ClusterComputeResource' ? nameOf(parent) : null,
      isConnected: read<string>(ref, 'runtime.connectionState') === 'connected',
      inMaintenance: read<boolean>(ref, 'runtime.inMaintenanceMode'),
    };
  }
  return found;
}

/** Roles of an operation's, and permissions on what an operation has made. */
function rights({ center }: World): Record<string, unknown> {
  const { authorization, graph } = center.service;
  const roles = authorization.listRoles().filter(({ name }) => MADE.test(name));
  const nameOfRole = new Map(roles.map(({ roleId, name }) => [roleId, name]));
  const found = Object.fromEntries(roles.map(({ name, privileges }) => [`role ${name}`, [...privileges].sort()]));
  const permissions = authorization.allPermissions().flatMap(({ entity, principal, roleId }) => {
    const role = nameOfRole.get(roleId);
    const name = graph.find(entity)?.getPath('name');
    const user = principal.split('\\').at(-1);
    return role === undefined ? [] : [[`permission of ${user} on ${String(name)}`, role]];
  });
  return { ...found, ...Object.fromEntries(permissions) };
}

function fields(world: World): Record<string, unknown> {
  const { center } = world;
  const manager = moRef('CustomFieldsManager', 'CustomFieldsManager') as MoRef;
  const all = center.read<{ key: number; name: string }[]>(manager, 'field').filter(({ name }) => MADE.test(name));
  const found: Record<string, unknown> = Object.fromEntries(all.map(({ name }) => [`field ${name}`, true]));
  for (const [vm, ref] of made(world, 'VirtualMachine')) {
    for (const { key, value } of center.read<{ key: number; value: string }[]>(ref, 'customValue')) {
      const field = all.find((one) => one.key === key)?.name ?? `of key ${key}, which there is not`;
      found[`value of ${field} on ${vm}`] = value;
    }
  }
  return found;
}

function tags({ center, tagging }: World): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const names = new Map(tagging.categories().map(({ id, name }) => [id, name]));
  for (const name of names.values()) found[`category ${name}`] = true;
  for (const { id, name, categoryId } of tagging.tags()) {
    found[`tag ${name}`] = names.get(categoryId);
    for (const object of tagging.objectsWith(id)) {
      // Tags of what is gone are shown to nobody, and taken off in time.
      const on = center.service.graph.find(object as MoRef);
      if (on) found[`tag ${name} on ${String(on.getPath('name'))}`] = true;
    }
  }
  return found;
}

function users({ domain }: World): Record<string, unknown> {
  const found = domain.listUsers().flatMap(({ userName }) => {
    const user = domain.findUser(userName);
    return user && MADE.test(user.name) ? [[`user ${user.name}`, user.isDisabled ? 'disabled' : 'enabled']] : [];
  });
  return Object.fromEntries(found) as Record<string, unknown>;
}

/** Documents and tags of what is no longer there: none after a start. */
export function leftovers({ center, tagging }: World): string[] {
  const { store, graph } = center.service;
  const documents = store.range('').filter(({ key }) => {
    const [, type, value] = /(?:^|\/)([A-Z]\w+):([\w-]+)(?:\/|$)/.exec(key) ?? [];
    return type !== undefined && schema.managed(type) !== undefined && !graph.find({ type, value } as MoRef);
  });
  const tagged = tagging.tags().flatMap(({ id }) => tagging.objectsWith(id));
  const gone = tagged.filter((object) => !graph.find(object as MoRef));
  return [...documents.map(({ key }) => key), ...gone.map(({ value }) => `a tag on ${value}`)];
}

export function sorted(picture: Picture): Picture {
  return Object.fromEntries(Object.entries(picture).sort(([one], [other]) => (one < other ? -1 : 1)));
}
