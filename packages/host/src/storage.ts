// The host's storage, put together: datastores, virtual disks and the managed objects over both.
import type { Clock, Logger, Random } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import { type MoRef, moRef } from '@vivarium/vim';
import type { Service } from '@vivarium/vmomi';
import { DatastoreObjects } from './datastore/datastore-objects.ts';
import { Datastores } from './datastore/datastores.ts';
import type { FileUse } from './datastore/file-use.ts';
import type { StorageApi } from './datastore/storage-api.ts';
import { datastoreBrowserHandlers } from './datastore-browser/datastore-browser.ts';
import { datastoreSystemCapabilities, datastoreSystemHandlers } from './datastore-system/datastore-system.ts';
import { fileManagerHandlers } from './file-manager/file-manager.ts';
import { listMembers } from './inventory/build-tree.ts';
import { refs } from './inventory/refs.ts';
import type { DiskImages } from './virtual-disk-manager/disk-images.ts';
import { virtualDiskManagerHandlers } from './virtual-disk-manager/virtual-disk-manager.ts';
import { VirtualDisks } from './virtual-disk-manager/virtual-disks.ts';
import type { VmPaths } from './vm/vm-host.ts';

export interface Storage {
  readonly datastores: Datastores;
  readonly disks: VirtualDisks;
  readonly paths: VmPaths;
  close(): void;
}

export interface StorageOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly store: Store;
  /** The datastore that a new host has; its folder is absolute. */
  readonly first: { readonly name: string; readonly root: string };
  readonly images: DiskImages;
  readonly use: FileUse;
}

export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { clock, random, log, store, first, images, use } = options;
  const datastores = await Datastores.open({
    store,
    clock,
    random,
    log,
    first,
  });
  const disks = new VirtualDisks({ datastores, images, use, random, log });
  return { datastores, disks, paths: vmPaths(datastores), close: () => datastores.close() };
}

export function vmPaths(datastores: Datastores): VmPaths {
  const holder = (absolute: string) => {
    const found = datastores.list().find(({ root }) => absolute === root || absolute.startsWith(`${root}/`));
    if (!found) throw new Error(`${absolute} is on no datastore`);
    return found;
  };
  return {
    resolve: (path) => datastores.resolve(path),
    format: (absolute) => {
      const datastore = holder(absolute);
      return datastore.text(absolute.slice(datastore.root.length + 1));
    },
    datastoreOf: (absolute) => holder(absolute).ref,
    rootOf: (absolute) => holder(absolute).root,
    onSpace: (listener) => datastores.onSpace(() => listener()),
    ranFull(absolute) {
      datastores.ranFull(absolute).catch(() => undefined); // the space watch logs what it cannot read
    },
  };
}

export interface PublishedStorage {
  /** For the /folder door. */
  readonly api: StorageApi;
  /** A file at this absolute path was made, changed or removed: the figures of its datastore follow. */
  touched(path: string): void;
  /** Which VMs lie on which datastore, by the value of its reference: Datastore.vm. */
  setUsers(users: ReadonlyMap<string, readonly MoRef<'VirtualMachine'>[]>): void;
}

/** Puts the storage's managed objects into the graph. */
export function publishStorage(service: Service, storage: Storage, use: FileUse): PublishedStorage {
  const { datastores, disks } = storage;
  const { graph, clock, log, random } = service;
  const api: StorageApi = {
    datastores,
    use,
    tasks: service.tasks,
    graph,
    authorization: service.authorization,
    touched: (datastore) => objects.touched(datastore, true),
  };
  const objects: DatastoreObjects = new DatastoreObjects({
    graph,
    datastores,
    tasks: service.tasks,
    host: refs.host,
    folder: refs.datastoreFolder,
    clock,
    log,
    uncommitted: (datastore) => disks.uncommitted(datastore),
    browser: () => datastoreBrowserHandlers(api),
    listChanged: (list: readonly MoRef<'Datastore'>[]) => {
      listMembers(graph, 'Datastore', list);
      if (graph.find(SYSTEM)) graph.get(SYSTEM).set('datastore', [...list]);
    },
  });
  graph.add(FILE_MANAGER, {}, fileManagerHandlers(api, { random }));
  graph.add(DISK_MANAGER, {}, virtualDiskManagerHandlers(api, disks));
  const system = { datastore: objects.refs(), capabilities: datastoreSystemCapabilities };
  graph.add(SYSTEM, system, datastoreSystemHandlers(api), { entity: refs.host });
  service.extendContent({ fileManager: FILE_MANAGER, virtualDiskManager: DISK_MANAGER });
  return {
    api,
    touched(path) {
      const datastore = datastores.list().find(({ root }) => path.startsWith(`${root}/`));
      if (datastore) objects.touched(datastore, true);
    },
    setUsers: (users) => objects.setUsers(users),
  };
}

const FILE_MANAGER = moRef('FileManager', 'ha-nfc-file-manager');
const DISK_MANAGER = moRef('VirtualDiskManager', 'ha-vdiskmanager');
const SYSTEM = moRef('HostDatastoreSystem', 'ha-datastoresystem');
