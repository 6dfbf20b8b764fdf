// A connection to a hostd: one session, one stream of updates in which the ends of tasks come after the changes that the tasks
// made. Connections may come and go below it, and nothing is missed then; with the session the link ends too.
import { buffer } from 'node:stream/consumers';
import { type Clock, delay, type Timer } from '@vivarium/base';
import { type StreamFilter, TaskFollower, type VimClient } from '@vivarium/client';
import {
  type AboutInfo,
  type Event,
  isFault,
  type ManagedObjectReference,
  type MoRef,
  make,
  moRef,
  type ObjectUpdate,
  type ServiceContent,
  schema,
  unbox,
} from '@vivarium/vim';
import {
  type FolderAnswer,
  type FolderRequest,
  type HostLink,
  type HostNews,
  HostUnreachable,
  type HostUpdate,
  type NfcRequest,
  type RunOptions,
} from './host-link.ts';
import { hostFilter } from './what-to-watch.ts';

/** The host answers at least this often, so silence for longer means that the connection is gone. */
const ANSWER_WITHIN_S = 20;
const SILENCE_S = ANSWER_WITHIN_S + 15;
/** A host that cannot be reached for this long does not respond. What is shorter is mended without anybody noticing. */
const AWAY_MS = 10_000;
/** Objects in one set: a host with many VMs is taken in in steps. */
const MAX_OBJECT_UPDATES = 500;

/** Events that are looked at first when the following of events begins: most often there are fewer new ones. */
const EVENT_PAGE = 100;
/** A transfer of which no byte moves for so long is given up. */
const TRANSFER_IDLE_MS = 120_000;
const EVENT_RETRY_MS = 1000;
/** Followed for the link's own ends. */
const OWN: ReadonlySet<string> = new Set(['Task', 'EventManager']);

type AnyMethod = (target: MoRef, method: string, args: object, options?: object) => Promise<unknown>;

export class VimHostLink implements HostLink {
  readonly about: AboutInfo;
  readonly #client: VimClient;
  readonly #clock: Clock;
  readonly #call: AnyMethod;
  readonly #mayAct: () => Promise<void>;
  readonly #tasks: TaskFollower;
  #isFollowed = false;
  /** There are no more updates. */
  #hasEnded = false;
  #isClosed = false;
  /** Resolved at the host's next event, and when the connection has ended. */
  #nextEvent = Promise.withResolvers<void>();

  /** `client` is logged in. `mayAct`: as VimHostDialerOptions has it. */
  constructor(client: VimClient, about: AboutInfo, clock: Clock, mayAct = () => Promise.resolve()) {
    this.#client = client;
    this.#mayAct = mayAct;
    this.about = about;
    this.#clock = clock;
    this.#tasks = new TaskFollower(client, clock);
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
    const away = new AbortController();
    let patience: Timer | undefined;
    try {
      const stream = this.#client.stream({
        filters: () => this.#filters(),
        signal: AbortSignal.any([signal, away.signal]),
        reconnect: true,
        maxWaitSeconds: ANSWER_WITHIN_S,
        heartbeatSeconds: SILENCE_S,
        maxObjectUpdates: MAX_OBJECT_UPDATES,
        clock: this.#clock,
      });
      for await (const event of stream) {
        patience?.cancel();
        if (event.kind === 'lost') {
          patience = this.#clock.setTimer(AWAY_MS, () => away.abort(event.error));
          void this.#whenGone((error) => away.abort(error));
        }
        if (event.kind === 'begun' && this.#isFollowed) throw new HostUnreachable('what the host followed is gone');
        if (event.kind === 'begun') this.#isFollowed = true;
        if (event.kind !== 'updates') continue;
        const updates = event.objects.filter(({ obj }) => !OWN.has(obj.type)).map(hostUpdate);
        yield { updates, isPartial: event.isTruncated };
        this.#tasks.apply(event.objects);
        if (event.objects.some(({ obj }) => obj.type === 'EventManager')) this.#wakeEvents();
      }
      if (!signal.aborted) throw away.signal.reason as Error;
    } catch (error) {
      if (!signal.aborted) throw unreachable(error);
    } finally {
      patience?.cancel();
      this.#end(new HostUnreachable('the connection to the host has ended'));
    }
  }

  async *events(afterKey: number | undefined, signal: AbortSignal): AsyncIterable<readonly Event[]> {
    let last = afterKey;
    while (!signal.aborted && !this.#hasEnded) {
      try {
        last ??= await this.#latestEvent();
        for await (const page of this.#readEvents(last, signal)) {
          const seen: number = last;
          const fresh = page.filter(({ key }) => key > seen);
          last = fresh.at(-1)?.key ?? seen;
          if (fresh.length > 0) yield fresh;
        }
      } catch (error) {
        if (!(error instanceof HostUnreachable)) throw error;
        // An answer that was lost may have held events: another collector tells them again.
        await delay(this.#clock, EVENT_RETRY_MS, signal);
      }
    }
  }

  async call(target: ManagedObjectReference, method: string, args: object, signal?: AbortSignal): Promise<unknown> {
    await this.#mayAct();
    try {
      return unbox(await this.#call(target as MoRef, method, args, signal ? { signal } : {}));
    } catch (error) {
      throw unreachable(error);
    }
  }

  async run(target: ManagedObjectReference, method: string, args: object, options: RunOptions = {}): Promise<unknown> {
    const { signal, onProgress, onChain } = options;
    if (!this.#isFollowed) throw new HostUnreachable('the host is not being followed yet');
    signal?.throwIfAborted();
    const task = (await this.call(target, method, args)) as MoRef<'Task'>;
    const cancel = () => void this.call(task, 'CancelTask', {}).catch(() => undefined);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await this.#tasks.follow(task, {
        onInfo({ eventChainId, progress }) {
          onChain?.(eventChainId);
          if (progress !== undefined) onProgress?.(progress);
        },
      });
    } catch (error) {
      throw unreachable(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  folder({ method, datastore, path, headers, body, signal }: FolderRequest): Promise<FolderAnswer> {
    const place = path === '' ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`;
    const query = new URLSearchParams({ dcPath: 'ha-datacenter', dsName: datastore });
    const options = { headers, signal, idleTimeoutMs: TRANSFER_IDLE_MS, ...(body ? { body } : {}) };
    return this.#transfer(() => this.#client.folder(method, `/folder${place}?${query}`, options));
  }

  nfc({ lease, file, headers, body, signal }: NfcRequest): Promise<FolderAnswer> {
    const path = `${encodeURIComponent(lease)}/${encodeURIComponent(file)}`;
    const options = { headers, body, signal, idleTimeoutMs: TRANSFER_IDLE_MS };
    return this.#transfer(() => this.#client.nfc(path, options));
  }

  async *watch(
    ref: ManagedObjectReference,
    paths: readonly string[],
    signal: AbortSignal,
  ): AsyncIterable<Readonly<Record<string, unknown>>> {
    const spec = { propSet: [{ type: ref.type, pathSet: [...paths] }], objectSet: [{ obj: ref }] } as never;
    try {
      for await (const updates of this.#client.watch(spec, { signal })) {
        for (const { changes } of updates.map(hostUpdate)) {
          yield Object.fromEntries(changes.map(({ name, value }) => [name, value]));
        }
      }
    } catch (error) {
      if (!signal.aborted) throw unreachable(error);
    }
  }

  async screen({ value }: ManagedObjectReference): Promise<Uint8Array> {
    try {
      const { status, body } = await this.#client.screen(moRef('VirtualMachine', value));
      const bytes = await buffer(body);
      if (status === 200) return bytes;
      throw new HostUnreachable(`the host makes no picture of the screen: HTTP ${status}`);
    } catch (error) {
      throw unreachable(error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end(new HostUnreachable('vCenter has closed the connection'));
    this.#client
      .logout()
      .catch(() => undefined)
      .finally(() => this.#client.close());
  }

  /** Nobody listens there: the host's daemon has ended, its sessions with it, and there is nothing to wait for. */
  async #whenGone(tell: (error: unknown) => void): Promise<void> {
    try {
      const instance = moRef('ServiceInstance', 'ServiceInstance');
      await this.#client.call(instance, 'CurrentTime', {} as never, { renews: false });
    } catch (error) {
      if (isRefused(error)) tell(error);
    }
  }

  /** In their order: what a task changed is told before its end. */
  async #filters(): Promise<StreamFilter[]> {
    return [{ spec: hostFilter() }, { spec: eventFilter(await this.#client.content()) }, await this.#tasks.filter()];
  }

  async #latestEvent(): Promise<number> {
    try {
      const { eventManager } = await this.#client.content();
      const latest = eventManager && (await this.#client.get(eventManager, 'latestEvent'));
      return latest?.key ?? 0;
    } catch (error) {
      throw unreachable(error);
    }
  }

  /** Events around and behind the one with this key, in their order, until the signal or the connection ends. */
  async *#readEvents(afterKey: number, signal: AbortSignal): AsyncGenerator<readonly Event[]> {
    const { eventManager } = await this.#client.content();
    if (!eventManager) return;
    const filter = { _typeName: 'EventFilterSpec' };
    const collector = (await this.call(eventManager, 'CreateCollectorForEvents', { filter }, signal)) as MoRef;
    const next = async () =>
      ((await this.call(collector, 'ReadNextEvents', { maxCount: EVENT_PAGE }, signal)) ?? []) as readonly Event[];
    try {
      await this.call(collector, 'SetCollectorPageSize', { maxCount: EVENT_PAGE }, signal);
      await this.call(collector, 'ResetCollector', {}, signal);
      let page = await next();
      const isGap = page[0] !== undefined && page[0].key > afterKey + 1;
      if (isGap) {
        await this.call(collector, 'RewindCollector', {}, signal);
        page = await next();
      }
      while (!signal.aborted && !this.#hasEnded) {
        const woken = this.#nextEvent.promise; // before the last look
        do {
          if (page.length > 0) yield page;
          page = await next();
        } while (page.length > 0);
        await woken;
      }
    } finally {
      if (!this.#hasEnded) this.call(collector, 'DestroyCollector', {}).catch(() => undefined);
    }
  }

  async #transfer(begin: () => Promise<FolderAnswer>): Promise<FolderAnswer> {
    await this.#mayAct();
    try {
      return await begin();
    } catch (error) {
      throw unreachable(error);
    }
  }

  #wakeEvents(): void {
    this.#nextEvent.resolve();
    this.#nextEvent = Promise.withResolvers<void>();
  }

  #end(reason: HostUnreachable): void {
    this.#hasEnded = true;
    this.#tasks.close(reason);
    this.#wakeEvents();
  }
}

function eventFilter({ eventManager }: ServiceContent) {
  return make('PropertyFilterSpec', {
    propSet: [make('PropertySpec', { type: 'EventManager', pathSet: ['latestEvent'] })],
    objectSet: eventManager ? [make('ObjectSpec', { obj: eventManager })] : [],
  });
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

function isRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' || isRefused(error.cause);
}

/** A fault is an answer; anything else means that there was none. */
function unreachable(error: unknown): unknown {
  if (isFault(error, 'MethodFault')) return error;
  return new HostUnreachable(error instanceof Error ? error.message : String(error), { cause: error });
}
