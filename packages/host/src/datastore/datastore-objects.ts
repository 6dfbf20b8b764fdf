// The managed objects of the datastores: a Datastore and its browser for each, kept true while datastores come, go, fill
// and are renamed. What a browser does comes in from outside.
import { type Clock, dateTime, type Logger, type Timer } from '@vivarium/base';
import { type Handlers, type MoRef, moRef } from '@vivarium/vim';
import type { Call, ManagedObject, ObjectGraph } from '@vivarium/vmomi';
import { checkUnused } from './check-unused.ts';
import type { Datastore } from './datastore.ts';
import { datastoreCapability, datastoreMount, datastoreStatus } from './datastore-view.ts';
import type { Datastores } from './datastores.ts';
import type { Space } from './space.ts';
import type { StorageTasks } from './storage-api.ts';

/** Counting reads every descriptor of the datastore. */
const COUNT_AFTER_MS = 2_000;

export interface DatastoreObjectsOptions {
  readonly graph: ObjectGraph;
  readonly datastores: Datastores;
  readonly tasks: StorageTasks;
  readonly host: MoRef<'HostSystem'>;
  /** The folder that the Datastore objects lie in, e.g. ha-folder-datastore. */
  readonly folder: MoRef<'Folder'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** What thin disks may still grow by, in bytes: reads every descriptor on the datastore. */
  uncommitted(datastore: Datastore): Promise<number>;
  /** The handlers of a browser of these datastores. */
  browser(): Handlers<'HostDatastoreBrowser', Call>;
  /** Called after a datastore was added, removed or renamed, with all refs: Folder.childEntity and its kin follow. */
  listChanged(datastores: readonly MoRef<'Datastore'>[]): void;
}

export class DatastoreObjects {
  readonly #options: DatastoreObjectsOptions;
  readonly #uncommitted = new Map<string, number>();
  readonly #stops = new Map<string, () => void>();
  /** Countings that are due. */
  readonly #counting = new Map<Datastore, Timer>();
  #users: ReadonlyMap<string, readonly MoRef<'VirtualMachine'>[]> = new Map();

  constructor(options: DatastoreObjectsOptions) {
    this.#options = options;
    const { datastores, graph, host } = options;
    graph.add(HOST_BROWSER, { datastore: [], supportedType: [...supportedTypes] }, options.browser(), { entity: host });
    graph.find(host)?.set('datastoreBrowser', HOST_BROWSER);
    for (const datastore of datastores.list()) this.#add(datastore);
    datastores.listen({
      added: (datastore) => {
        this.#add(datastore);
        this.#listChanged();
      },
      removed: (datastore) => {
        this.#remove(datastore);
        this.#listChanged();
      },
      renamed: (datastore) => {
        this.#publish(datastore, datastore.space.latest);
        this.#listChanged();
      },
    });
    this.#listChanged();
  }

  refs(): MoRef<'Datastore'>[] {
    return this.#options.datastores.list().map(({ ref }) => ref);
  }

  object(datastore: Datastore): ManagedObject<'Datastore'> {
    return this.#options.graph.get(datastore.ref);
  }

  /** Which VMs lie on which datastore, by the value of its reference. */
  setUsers(users: ReadonlyMap<string, readonly MoRef<'VirtualMachine'>[]>): void {
    this.#users = users;
    for (const { ref } of this.#options.datastores.list()) {
      this.#options.graph.find(ref)?.set('vm', [...(users.get(ref.value) ?? [])]);
    }
  }

  /** Reads free space, and counts what is provisioned when `deep`. */
  async refresh(datastore: Datastore, deep: boolean): Promise<void> {
    if (deep) this.#uncommitted.set(datastore.uuid, await this.#options.uncommitted(datastore));
    await datastore.space.refresh();
  }

  /**
   * After an operation that made, changed or removed files: free space follows at once, what is provisioned (`deep`) a
   * little later, once for many operations.
   */
  touched(datastore: Datastore, deep: boolean): void {
    this.#quietly(datastore, false);
    if (!deep || this.#counting.has(datastore)) return;
    const timer = this.#options.clock.setTimer(COUNT_AFTER_MS, () => {
      this.#counting.delete(datastore);
      this.#quietly(datastore, true);
    });
    this.#counting.set(datastore, timer);
  }

  #quietly(datastore: Datastore, deep: boolean): void {
    this.refresh(datastore, deep).catch((error: unknown) => {
      this.#options.log.warn({ err: error, datastore: datastore.name }, 'cannot refresh datastore');
    });
  }

  #add(datastore: Datastore): void {
    const { graph, host, folder } = this.#options;
    const browser = moRef('HostDatastoreBrowser', `datastoreBrowser-${datastore.uuid}`);
    const { latest } = datastore.space;
    graph.add(
      datastore.ref,
      {
        ...this.#status(datastore, latest ?? { capacityBytes: 0, freeBytes: 0 }),
        parent: folder,
        overallStatus: 'green',
        configStatus: 'green',
        configIssue: [],
        recentTask: [],
        declaredAlarmState: [],
        triggeredAlarmState: [],
        alarmActionsEnabled: true,
        tag: [],
        host: [datastoreMount(host, datastore.uuid)],
        vm: [...(this.#users.get(datastore.ref.value) ?? [])],
        browser,
        capability: datastoreCapability,
      },
      this.#handlers(datastore),
    );
    graph.add(browser, { datastore: [datastore.ref], supportedType: [...supportedTypes] }, this.#options.browser(), {
      entity: datastore.ref,
    });
    this.#stops.set(
      datastore.uuid,
      datastore.space.onSpace((space) => this.#publish(datastore, space)),
    );
    this.#quietly(datastore, true);
  }

  #remove(datastore: Datastore): void {
    this.#stops.get(datastore.uuid)?.();
    this.#stops.delete(datastore.uuid);
    this.#uncommitted.delete(datastore.uuid);
    this.#counting.get(datastore)?.cancel();
    this.#counting.delete(datastore);
    const browser = this.object(datastore).get('browser');
    if (browser) this.#options.graph.remove(browser);
    this.#options.graph.remove(datastore.ref);
  }

  #handlers(datastore: Datastore): Handlers<'Datastore', Call> {
    const { datastores, graph, tasks } = this.#options;
    // The VMs' configurations name their files by the datastore's name: it stays while there are any.
    const rename = async (name: string) => {
      checkUnused(graph, datastore);
      await datastores.rename(datastore, name);
    };
    const remove = async () => {
      checkUnused(graph, datastore);
      await datastores.remove(datastore);
    };
    return {
      RefreshDatastore: () => this.refresh(datastore, false),
      RefreshDatastoreStorageInfo: () => this.refresh(datastore, true),
      RenameDatastore: ({ newName }) => rename(newName),
      Rename_Task: ({ newName }, call) =>
        tasks.start({ entity: datastore.ref, descriptionId: 'Datastore.rename', call }, () => rename(newName)),
      DestroyDatastore: () => remove(),
      Destroy_Task: (_args, call) =>
        tasks.start({ entity: datastore.ref, descriptionId: 'Datastore.destroy', call }, remove),
      IsClusteredVmdkEnabled: () => false,
    };
  }

  #publish(datastore: Datastore, space: Space | undefined): void {
    const object = this.#options.graph.find(datastore.ref);
    if (object && space) object.update({ ...this.#status(datastore, space) });
  }

  #status(datastore: Datastore, space: Space) {
    const { name, ref, uuid, url } = datastore;
    const timestamp = dateTime(this.#options.clock);
    return datastoreStatus({ name, ref, uuid, url, space, uncommittedBytes: this.#uncommitted.get(uuid), timestamp });
  }

  #listChanged(): void {
    this.#options.graph.get(HOST_BROWSER).set('datastore', this.refs());
    this.#options.listChanged(this.refs());
  }
}

/** Of all datastores of the host: HostSystem.datastoreBrowser and EnvironmentBrowser.datastoreBrowser. */
export const HOST_BROWSER = moRef('HostDatastoreBrowser', 'ha-host-datastorebrowser');

/** What a browser can search for, as its property `supportedType` lists it. */
export const supportedTypes = [
  { _typeName: 'FileQuery' },
  { _typeName: 'FolderFileQuery' },
  { _typeName: 'FloppyImageFileQuery' },
  { _typeName: 'IsoImageFileQuery' },
  { _typeName: 'VmConfigFileQuery' },
  { _typeName: 'TemplateConfigFileQuery' },
  { _typeName: 'VmDiskFileQuery' },
  { _typeName: 'VmLogFileQuery' },
  { _typeName: 'VmNvramFileQuery' },
  { _typeName: 'VmSnapshotFileQuery' },
] as const;
