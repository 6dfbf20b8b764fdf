// The Datastore object and its browser. What is asked of a datastore is asked of a host that has it.
import { type Handlers, MethodFault, type MoRef } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { browserOf } from '../host-sync/host-mirror.ts';
import { checkName, plainName } from '../inventory/entity-name.ts';
import { renamedEvent } from '../inventory/inventory-events.ts';
import type { Companion, EntityFace } from '../publish/publisher.ts';

const BROWSER_METHODS = ['SearchDatastore_Task', 'SearchDatastoreSubFolders_Task', 'DeleteFile'] as const;
const METHODS = [
  'RefreshDatastore',
  'RefreshDatastoreStorageInfo',
  'DestroyDatastore',
  'Destroy_Task',
  'IsClusteredVmdkEnabled',
] as const;

export function datastoreFace(center: Center): EntityFace<'Datastore'> {
  return {
    handlers: (ref) => ({
      ...(forwarded(center, ref, ref as MoRef, METHODS) as Handlers<'Datastore', Call>),
      RenameDatastore: ({ newName }, call) => renameDatastore(center, ref, newName, call),
      Rename_Task: ({ newName }, call) =>
        center.service.tasks.start({ entity: ref as MoRef, descriptionId: 'Datastore.rename', call }, () =>
          renameDatastore(center, ref, newName, call),
        ),
    }),
    properties: (ref) => ({ browser: browserOf(ref), host: [], vm: [] }) as never,
    listings: ({ parent, datacenter }) => [
      { owner: parent, property: 'childEntity' },
      { owner: datacenter, property: 'datastore' },
    ],
    companions: (ref): Companion[] => [
      {
        ref: browserOf(ref) as MoRef,
        properties: { datastore: [ref], supportedType: [] },
        handlers: forwarded(center, ref, browserOf(ref) as MoRef, BROWSER_METHODS, (args) =>
          requireBrowsed(center, [ref], args),
        ),
      },
    ],
  };
}

/**
 * Here alone: hosts keep the name that they have. Unique in the whole datacenter, as paths name it. Faults: InvalidName,
 * DuplicateName.
 */
function renameDatastore(center: Center, datastore: MoRef<'Datastore'>, newName: string, call: Call): Promise<void> {
  const { inventory, index } = center;
  return inventory.exclusively(async () => {
    const name = checkName(newName);
    const record = inventory.get<'Datastore'>(datastore);
    inventory.requireFreeName(record.parent, name, datastore);
    const holder = index.datastoreNamed(record.datacenter, name);
    if (holder && holder.value !== datastore.value) {
      throw new MethodFault('DuplicateName', { name, object: holder as MoRef });
    }
    await inventory.apply([{ put: datastore, record: { ...record, name } }]);
    renamedEvent(center, datastore, record.name, call);
  });
}

/**
 * A browser's privileges were looked at on what it browses, so its paths lead nowhere else. Fault: InvalidDatastore.
 * `browsed`: the datastores that it shows.
 */
export function requireBrowsed({ inventory }: Center, browsed: readonly MoRef<'Datastore'>[], args: object): void {
  const text = String((args as { readonly datastorePath?: unknown }).datastorePath);
  const name = /^\s*\[([^\]]+)\]/.exec(text)?.[1]?.trim();
  if (name === undefined) throw new MethodFault('InvalidDatastorePath', { datastorePath: text });
  if (!browsed.some((ref) => plainName(inventory.find(ref)?.name ?? '') === plainName(name)))
    throw new MethodFault('InvalidDatastore', { name });
}

function forwarded(
  center: Center,
  datastore: MoRef<'Datastore'>,
  ref: MoRef,
  methods: readonly string[],
  check: (args: object) => void = () => undefined,
): object {
  return Object.fromEntries(
    methods.map((method) => [
      method,
      (args: object, call: Call) => {
        check(args);
        const host = hostWith(center, datastore);
        return center.forwarder.forward(ref, host, method, args, call);
      },
    ]),
  );
}

/** A connected host that has the datastore. Fault: HostNotConnected. */
export function hostWith({ shared, hosts }: Center, datastore: MoRef<'Datastore'>): MoRef<'HostSystem'> {
  const host = shared.hostsOf(datastore).find((one) => hosts.isConnected(one));
  if (!host) throw new MethodFault('HostNotConnected');
  return host;
}
