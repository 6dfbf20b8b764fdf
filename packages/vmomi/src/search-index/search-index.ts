// The managed object SearchIndex: entities by UUID, address, DNS name, file and place in the inventory. Finds nothing
// that the caller may not see (paths) or read (everything else).
// Source: vSphere Web Services API, SearchIndex.
import { type Handlers, MethodFault, type MoRef, schema } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import type { ChangeRouter } from '../property-collector/change-router.ts';
import { parseInventoryPath, plainName } from './inventory-path.ts';
import { childKey, joinKey, ValueIndex } from './value-index.ts';

export interface SearchIndexOptions {
  readonly graph: ObjectGraph;
  readonly rootFolder: MoRef<'Folder'>;
  /** Shared with the property collectors. */
  readonly router: ChangeRouter;
}

/** Deeper than any inventory: guards against a parent cycle. */
const MAX_DEPTH = 64;

export function addSearchIndex(options: SearchIndexOptions, ref: MoRef<'SearchIndex'>): ManagedObject<'SearchIndex'> {
  return options.graph.add(ref, {}, searchHandlers(options));
}

function searchHandlers(options: SearchIndexOptions): Handlers<'SearchIndex', Call> {
  const { graph, rootFolder } = options;
  const index = makeIndexes(options);

  /** Of what was found: machines or hosts, in that datacenter, that the caller may read; oldest reference first. */
  const pick = (
    found: readonly ManagedObject[],
    type: string,
    datacenter: MoRef | undefined,
    call: Call,
  ): MoRef<'ManagedEntity'>[] => {
    if (datacenter) graph.get(datacenter);
    return found
      .filter((object) => object.ref.type === type && (!datacenter || isBelow(graph, object, datacenter)))
      .filter((object) => call.service.authorization.holds(call.session, object, 'System.Read'))
      .map((object) => object.ref as MoRef<'ManagedEntity'>)
      .sort((one, other) => one.value.localeCompare(other.value, 'en', { numeric: true }));
  };
  const byUuid = (
    args: { datacenter?: MoRef; uuid: string; vmSearch: boolean; instanceUuid?: boolean },
    call: Call,
  ) => {
    const kind = !args.vmSearch ? 'host' : args.instanceUuid === true ? 'instance' : 'bios';
    return pick(index.uuid.find(joinKey(kind, plainUuid(args.uuid))), typeOf(args.vmSearch), args.datacenter, call);
  };
  const byIp = (args: { datacenter?: MoRef; ip: string; vmSearch: boolean }, call: Call) =>
    pick(index.ip.find(args.ip.trim().toLowerCase()), typeOf(args.vmSearch), args.datacenter, call);
  const byDnsName = (args: { datacenter?: MoRef; dnsName: string; vmSearch: boolean }, call: Call) =>
    pick(index.dnsName.find(plainDnsName(args.dnsName)), typeOf(args.vmSearch), args.datacenter, call);
  const child = (parent: MoRef, name: string, call: Call): MoRef<'ManagedEntity'> | undefined =>
    index.child
      .find(childKey(parent, plainName(name)))
      .find((object) => call.service.authorization.holds(call.session, object, 'System.View'))?.ref as
      | MoRef<'ManagedEntity'>
      | undefined;

  return {
    FindByUuid: (args, call) => byUuid(args, call)[0],
    FindAllByUuid: byUuid,
    FindByIp: (args, call) => byIp(args, call)[0],
    FindAllByIp: byIp,
    FindByDnsName: (args, call) => byDnsName(args, call)[0],
    FindAllByDnsName: byDnsName,
    FindByDatastorePath: ({ datacenter, path }, call) => {
      requireDatastore(graph, datacenter, path, (object) =>
        call.service.authorization.holds(call.session, object, 'System.View'),
      );
      return pick(index.file.find(plainFile(path)), 'VirtualMachine', datacenter, call)[0] as
        | MoRef<'VirtualMachine'>
        | undefined;
    },
    FindByInventoryPath: ({ inventoryPath }, call) => {
      let found: MoRef<'ManagedEntity'> | undefined = rootFolder;
      for (const name of parseInventoryPath(inventoryPath)) {
        found = found && child(found, name, call);
        if (!found) return undefined;
      }
      return call.service.authorization.holds(call.session, graph.get(found), 'System.View') ? found : undefined;
    },
    FindChild: ({ entity, name }, call) => {
      graph.get(entity);
      return child(entity, name, call);
    },
  };
}

function makeIndexes({ graph, router }: SearchIndexOptions) {
  const isMachineOrHost = (type: string) => type === 'VirtualMachine' || type === 'HostSystem';
  const common = { source: graph, router, covers: isMachineOrHost };
  return {
    uuid: new ValueIndex({ ...common, properties: ['config', 'hardware', 'summary'], keysOf: uuidKeys }),
    ip: new ValueIndex({ ...common, properties: ['guest', 'config'], keysOf: ipKeys }),
    dnsName: new ValueIndex({ ...common, properties: ['guest', 'config', 'name'], keysOf: dnsNameKeys }),
    file: new ValueIndex({
      ...common,
      properties: ['config'],
      keysOf: (object) => texts(object, ['config.files.vmPathName']).map(plainFile),
    }),
    child: new ValueIndex({
      ...common,
      covers: (type) => schema.isSubtype(type, 'ManagedEntity'),
      properties: ['name', 'parent', 'parentVApp', 'parentFolder', 'resourcePool'],
      keysOf: childKeys,
    }),
  };
}

function uuidKeys(object: ManagedObject): string[] {
  if (object.ref.type === 'HostSystem') {
    const paths = ['hardware.systemInfo.uuid', 'summary.hardware.uuid'];
    return texts(object, paths).map((uuid) => joinKey('host', plainUuid(uuid)));
  }
  return [
    ...texts(object, ['config.uuid']).map((uuid) => joinKey('bios', plainUuid(uuid))),
    ...texts(object, ['config.instanceUuid']).map((uuid) => joinKey('instance', plainUuid(uuid))),
  ];
}

/** A machine's is the one that its guest reports first; a host's are those of its vmkernel adapters. */
function ipKeys(object: ManagedObject): string[] {
  if (object.ref.type === 'VirtualMachine') return texts(object, ['guest.ipAddress']).map((ip) => ip.toLowerCase());
  const adapters = (object.getPath('config.network.vnic') ?? []) as { spec?: { ip?: { ipAddress?: string } } }[];
  return adapters.flatMap(({ spec }) => spec?.ip?.ipAddress?.toLowerCase() ?? []);
}

/** A host answers to its name, and to its host name with and without the domain. */
function dnsNameKeys(object: ManagedObject): string[] {
  if (object.ref.type === 'VirtualMachine') return texts(object, ['guest.hostName']).map(plainDnsName);
  const [hostName] = texts(object, ['config.network.dnsConfig.hostName']);
  const [domain] = texts(object, ['config.network.dnsConfig.domainName']);
  const qualified = hostName && domain ? [`${hostName}.${domain}`] : [];
  return [...new Set([...texts(object, ['name']), ...(hostName ? [hostName] : []), ...qualified].map(plainDnsName))];
}

/** Where else things are found than below their parents. */
const MORE_ABOVE: Readonly<Record<string, readonly string[]>> = {
  VirtualMachine: ['resourcePool'],
  VirtualApp: ['parentFolder'],
};

/** A machine in a vApp has no folder; one in a plain pool is a child of its folder, and found in the pool too. */
function childKeys(object: ManagedObject): string[] {
  const [name] = texts(object, ['name']);
  if (name === undefined) return [];
  const above = ['parent', 'parentVApp', ...(MORE_ABOVE[object.ref.type] ?? [])];
  const parents = above.map((path) => object.getPath(path) as MoRef | undefined);
  return [...new Set(parents.flatMap((parent) => (parent ? childKey(parent, plainName(name)) : [])))];
}

/** Fault: InvalidDatastore, when the path names none or one that the caller does not see in the datacenter. */
function requireDatastore(
  graph: ObjectGraph,
  datacenter: MoRef<'Datacenter'>,
  path: string,
  sees: (object: ManagedObject) => boolean,
): void {
  const name = /^\[([^\]]+)\]/.exec(path)?.[1]?.trim();
  const refs = graph.get(datacenter).get('datastore') ?? [];
  const isThere = refs
    .flatMap((ref) => (graph.find(ref) as ManagedObject | undefined) ?? [])
    .some((object) => sees(object) && plainName(String(object.getPath('name'))) === plainName(name ?? ''));
  if (name === undefined || !isThere) throw new MethodFault('InvalidDatastore', name === undefined ? {} : { name });
}

function isBelow(graph: ObjectGraph, object: ManagedObject, ancestor: MoRef): boolean {
  let at: ManagedObject | undefined = object;
  for (let depth = 0; at && depth < MAX_DEPTH; depth++) {
    if (at.ref.type === ancestor.type && at.ref.value === ancestor.value) return true;
    const above = (at.getPath('parent') ?? at.getPath('parentVApp')) as MoRef | undefined;
    at = above && graph.find(above);
  }
  return false;
}

function typeOf(vmSearch: boolean): 'VirtualMachine' | 'HostSystem' {
  return vmSearch ? 'VirtualMachine' : 'HostSystem';
}

/** Clients write UUIDs in either case, and some the way a VMX file does: '56 4d … -…'. */
function plainUuid(uuid: string): string {
  return uuid.replace(/[\s-]/g, '').toLowerCase();
}

/** '[datastore1] vm/vm.vmx', however many spaces the client wrote. */
function plainFile(path: string): string {
  return path.trim().replace(/^\[\s*([^\]]+?)\s*\]\s*/, '[$1] ');
}

function plainDnsName(name: string): string {
  return name.trim().replace(/\.$/, '').toLowerCase();
}

function texts(object: ManagedObject, paths: readonly string[]): string[] {
  return [
    ...new Set(paths.map((path) => object.getPath(path)).filter((value) => typeof value === 'string' && value !== '')),
  ] as string[];
}
