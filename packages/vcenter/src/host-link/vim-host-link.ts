// A connection to a hostd: one session, one property collector, one stream of updates in which the ends of tasks come after
// the changes that the tasks made.
import type { VimClient } from '@vivarium/client';
import {
  type AboutInfo,
  type Event,
  isA,
  isFault,
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  moRef,
  type ObjectUpdate,
  type ServiceContent,
  schema,
  type TaskInfo,
  unbox,
} from '@vivarium/vim';
import {
  type FolderAnswer,
  type FolderRequest,
  type HostLink,
  type HostNews,
  HostUnreachable,
  type HostUpdate,
  type RunOptions,
} from './host-link.ts';
import { hostFilter } from './what-to-watch.ts';

/** The host answers at least this often, so silence for longer means that it is gone. */
const ANSWER_WITHIN_S = 20;
const SILENCE_MS = (ANSWER_WITHIN_S + 15) * 1000;
/** Objects in one set: a host with many VMs is taken in in steps. */
const MAX_OBJECT_UPDATES = 500;

const EVENT_PAGE = 100;
/** A transfer of which no byte moves for so long is given up. */
const TRANSFER_IDLE_MS = 120_000;
/** Followed for the link's own ends. */
const OWN: ReadonlySet<string> = new Set(['Task', 'EventManager']);

interface Waiting extends RunOptions {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type AnyMethod = (target: MoRef, method: string, args: object, options?: object) => Promise<unknown>;

export class VimHostLink implements HostLink {
  readonly about: AboutInfo;
  readonly #client: VimClient;
  readonly #call: AnyMethod;
  /** Tasks that have been started and are followed, by their key. */
  readonly #tasks = new Map<string, Waiting>();
  /** Ended, and still in the view. */
  #ended: MoRef<'Task'>[] = [];
  #view: MoRef<'ListView'> | undefined;
  #isClosed = false;
  /** Resolved at the host's next event. */
  #nextEvent = Promise.withResolvers<void>();

  /** `client` is logged in. */
  constructor(client: VimClient, about: AboutInfo) {
    this.#client = client;
    this.about = about;
    this.#call = client.call.bind(client) as unknown as AnyMethod;
  }

  async hardwareUuid(): Promise<string> {
    try {
      const hardware = await this.#client.get(moRef('HostSystem', 'ha-host'), 'hardware');
      return hardware?.systemInfo.uuid ?? '';
    } catch (error) {
      throw unreachable(error);
    }
  }

  async *updates(signal: AbortSignal): AsyncIterable<HostNews> {
    try {
      const content = await this.#client.content();
      if (!content.viewManager) throw new Error('the host has no ViewManager');
      const collector = await this.#client.call(content.propertyCollector, 'CreatePropertyCollector', {} as never);
      this.#view = await this.#client.call(content.viewManager, 'CreateListView', {});
      await this.#client.call(collector, 'CreateFilter', { spec: hostFilter(), partialUpdates: false });
      await this.#client.call(collector, 'CreateFilter', { spec: taskFilter(this.#view), partialUpdates: false });
      await this.#client.call(collector, 'CreateFilter', { spec: eventFilter(content), partialUpdates: false });
      const options = { maxWaitSeconds: ANSWER_WITHIN_S, maxObjectUpdates: MAX_OBJECT_UPDATES };
      let version = '';
      while (!signal.aborted) {
        const set = await this.#client.call(
          collector,
          'WaitForUpdatesEx',
          { version, options },
          { idleTimeoutMs: SILENCE_MS, signal },
        );
        if (!set) continue;
        version = set.version;
        const objects = (set.filterSet ?? []).flatMap(({ objectSet }) => objectSet ?? []);
        const updates = objects.filter(({ obj }) => !OWN.has(obj.type)).map(hostUpdate);
        yield { updates, isPartial: set.truncated ?? false };
        for (const update of objects) {
          if (update.obj.type === 'Task') this.#taskChanged(update);
          if (update.obj.type === 'EventManager') this.#wakeEvents();
        }
      }
    } catch (error) {
      if (!signal.aborted) throw unreachable(error);
    } finally {
      this.#failAll(new HostUnreachable('the connection to the host has ended'));
    }
  }

  async *events(afterKey: number | undefined, signal: AbortSignal): AsyncIterable<readonly Event[]> {
    const { eventManager } = await this.#client.content();
    if (!eventManager) return;
    const filter = { _typeName: 'EventFilterSpec' };
    const collector = (await this.call(eventManager, 'CreateCollectorForEvents', { filter })) as MoRef;
    let seen = afterKey;
    while (!signal.aborted) {
      const woken = this.#nextEvent.promise;
      for (;;) {
        const page = (await this.call(collector, 'ReadNextEvents', { maxCount: EVENT_PAGE }, signal)) as
          | Event[]
          | undefined;
        if (!page || page.length === 0) break;
        const fresh = seen === undefined ? [] : page.filter(({ key }) => key > (seen ?? 0));
        if (fresh.length > 0) yield fresh;
      }
      seen ??= 0; // what was there before is read; the collector goes on behind it
      await woken;
    }
  }

  async call(target: ManagedObjectReference, method: string, args: object, signal?: AbortSignal): Promise<unknown> {
    try {
      return unbox(await this.#call(target as MoRef, method, args, signal ? { signal } : {}));
    } catch (error) {
      throw unreachable(error);
    }
  }

  async run(target: ManagedObjectReference, method: string, args: object, options: RunOptions = {}): Promise<unknown> {
    const view = this.#view;
    if (!view) throw new HostUnreachable('the host is not being followed yet');
    options.signal?.throwIfAborted();
    const task = (await this.call(target, method, args)) as MoRef<'Task'>;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    promise.catch(() => undefined); // it may fail before the view has been answered for
    this.#tasks.set(task.value, { ...options, resolve, reject });
    const cancel = () => void this.call(task, 'CancelTask', {}).catch(() => undefined);
    options.signal?.addEventListener('abort', cancel, { once: true });
    const remove = this.#ended;
    this.#ended = [];
    try {
      await this.call(view, 'ModifyListView', { add: [task], remove });
      return await promise;
    } finally {
      options.signal?.removeEventListener('abort', cancel);
      this.#tasks.delete(task.value);
    }
  }

  async folder({ method, datastore, path, headers, body, signal }: FolderRequest): Promise<FolderAnswer> {
    const place = path === '' ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`;
    const query = new URLSearchParams({ dcPath: 'ha-datacenter', dsName: datastore });
    const options = { headers, signal, idleTimeoutMs: TRANSFER_IDLE_MS, ...(body ? { body } : {}) };
    try {
      return await this.#client.folder(method, `/folder${place}?${query}`, options);
    } catch (error) {
      throw unreachable(error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#failAll(new HostUnreachable('vCenter has closed the connection'));
    this.#client
      .logout()
      .catch(() => undefined)
      .finally(() => this.#client.close());
  }

  #taskChanged({ obj, changeSet }: ObjectUpdate): void {
    const waiting = this.#tasks.get(obj.value);
    const info = changeSet?.find(({ name }) => name === 'info')?.val;
    if (!isA('TaskInfo', info)) return;
    if (waiting) tell(waiting, info);
    if (info.state !== 'success' && info.state !== 'error') return;
    this.#ended.push(moRef('Task', obj.value));
  }

  #wakeEvents(): void {
    this.#nextEvent.resolve();
    this.#nextEvent = Promise.withResolvers<void>();
  }

  #failAll(error: unknown): void {
    this.#wakeEvents();
    for (const { reject } of this.#tasks.values()) reject(error);
    this.#tasks.clear();
  }
}

function tell(waiting: Waiting, info: TaskInfo): void {
  waiting.onChain?.(info.eventChainId);
  if (info.progress !== undefined) waiting.onProgress?.(info.progress);
  if (info.state === 'success') waiting.resolve(unbox(info.result));
  if (info.state === 'error') waiting.reject(MethodFault.from(info.error?.fault ?? {}, info.error?.localizedMessage));
}

function taskFilter(view: MoRef<'ListView'>) {
  return {
    propSet: [{ type: 'Task', pathSet: ['info'] }],
    objectSet: [
      {
        obj: view,
        skip: true,
        selectSet: [{ _typeName: 'TraversalSpec', type: 'ListView', path: 'view', skip: false }],
      },
    ],
  } as never;
}

function eventFilter({ eventManager }: ServiceContent) {
  return {
    propSet: [{ type: 'EventManager', pathSet: ['latestEvent'] }],
    objectSet: eventManager ? [{ obj: eventManager }] : [],
  } as never;
}

function hostUpdate({ kind, obj, changeSet = [] }: ObjectUpdate): HostUpdate {
  return {
    kind,
    ref: obj,
    changes: changeSet.map(({ name, val }) => ({ name, value: plain(obj.type, name, val) })),
  };
}

/** Under `any` everything says its type; in the graph a property of a declared type does not need to. */
function plain(type: string, name: string, value: unknown): unknown {
  const declared = schema.field(type, name);
  const bare = unbox(value);
  if (declared?.kind !== 'managed' || bare === undefined) return bare;
  const strip = (ref: unknown) => {
    const { type: of, value: id } = ref as ManagedObjectReference;
    return moRef(of as 'Task', id);
  };
  return Array.isArray(bare) ? bare.map(strip) : strip(bare);
}

/** A fault is an answer; anything else means that there was none. */
function unreachable(error: unknown): unknown {
  if (isFault(error, 'MethodFault')) return error;
  return new HostUnreachable(error instanceof Error ? error.message : String(error), { cause: error });
}
