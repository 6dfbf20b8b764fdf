// FileManager and VirtualDiskManager of vCenter: each call goes to a host that mounts all the datastores that it names, after
// the user's privileges on them have been looked at.
import { type ManagedObjectReference, MethodFault, type MoRef, moRef, schema } from '@vivarium/vim';
import { type Call, descriptionIdOf } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { DISK_METHODS, FILE_METHODS, type PlaceArgument } from './file-methods.ts';
import { type FilePlace, hostWithAll, locateFile } from './locate-file.ts';

const MANAGERS = [
  {
    ref: moRef('FileManager', 'FileManager'),
    onHost: moRef('FileManager', 'ha-nfc-file-manager'),
    methods: FILE_METHODS,
  },
  {
    ref: moRef('VirtualDiskManager', 'virtualDiskManager'),
    onHost: moRef('VirtualDiskManager', 'ha-vdiskmanager'),
    methods: DISK_METHODS,
  },
] as const;

/** What is asked of whoever touches files, on each datastore concerned. */
const PRIVILEGE = 'Datastore.FileManagement';

type Args = Readonly<Record<string, unknown>>;

export function addFileManagers(center: Center): void {
  for (const { ref, onHost, methods } of MANAGERS) {
    const handlers = Object.entries(methods).map(([method, places]) => [
      method,
      (args: Args, call: Call) => passOn(center, { method, places, onHost, args }, call),
    ]);
    center.service.graph.add(ref as MoRef, {} as never, Object.fromEntries(handlers) as never);
  }
  center.service.extendContent({ fileManager: MANAGERS[0].ref, virtualDiskManager: MANAGERS[1].ref });
}

interface FileCall {
  readonly method: string;
  readonly places: readonly PlaceArgument[];
  readonly onHost: ManagedObjectReference;
  readonly args: Args;
}

/** Faults: those of locateFile, NoPermission, InaccessibleDatastore, NotSupported (no host has both). And the host's. */
function passOn(center: Center, { method, places, onHost, args }: FileCall, call: Call): unknown {
  const { service, forwarder } = center;
  const found = locateAll(center, places, args);
  for (const { datastore } of found) {
    service.authorization.check(call.session, service.graph.get(datastore), PRIVILEGE);
  }
  const [first] = found;
  if (!first) throw new Error(`${method} names no place`);
  const host = hostOf(center, found);
  const passed = { host, target: onHost, method, args: hostArgs(places, found, args) };
  const entity = first.datastore as MoRef;
  if (!schema.declaredMethod(method)?.taskResult) return forwarder.call(entity, passed, call.signal);
  const descriptionId = descriptionIdOf(onHost.type, method);
  return service.tasks.start({ entity, descriptionId, call, cancelable: true }, ({ ref, signal, progress }) =>
    forwarder.run(entity, passed, { call, task: ref, signal, progress }),
  );
}

/** A destination without a datacenter is in the source's. */
function locateAll(center: Center, places: readonly PlaceArgument[], args: Args): FilePlace[] {
  let datacenter: MoRef<'Datacenter'> | undefined;
  return places.map((place) => {
    datacenter = (args[place.datacenter] as MoRef<'Datacenter'> | undefined) ?? datacenter;
    return locateFile(center, String(args[place.path]), datacenter, place.datacenter);
  });
}

function hostOf(center: Center, places: readonly FilePlace[]): MoRef<'HostSystem'> {
  const host = hostWithAll(
    center,
    places.map(({ datastore }) => datastore),
  );
  if (host) return host;
  for (const { datastore } of places) {
    if (hostWithAll(center, [datastore])) continue;
    const { name } = center.inventory.get(datastore);
    throw new MethodFault('InaccessibleDatastore', { datastore: datastore as MoRef<'Datastore'>, name, detail: '' });
  }
  throw new MethodFault('NotSupported', {}, 'No host mounts both datastores: copying between hosts is not built yet.');
}

function hostArgs(places: readonly PlaceArgument[], found: readonly FilePlace[], args: Args): Args {
  const passed: Record<string, unknown> = { ...args };
  for (const [index, place] of places.entries()) {
    delete passed[place.datacenter];
    passed[place.path] = found[index]?.text;
  }
  return passed;
}
