// Follows any number of an endpoint's tasks through one view and one filter, which any stream can carry beside other filters:
// whoever takes in the rest of an update set before it hands the set to `apply` learns of a task's end after what it did.
//
//   run/follow ──▶ open ──ModifyListView──▶ in the view ──updates──▶ ended ──ModifyListView──▶ out of the view
//                              │                  │
//                              └─ no such task ───┴─▶ missed ──history──▶ ended, or lost
//
// Calls to ModifyListView are batched: one under way, the next with all that came meanwhile. The view lives and dies with the session
// that carries the stream: when it is found gone, so will the stream find its collector, and begin anew with `filter`.
import { type Clock, delay } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import {
  isA,
  isFault,
  type ManagedTypes,
  type MoRef,
  make,
  type ObjectUpdate,
  type TaskInfo,
  unbox,
} from '@vivarium/vim';
import type { CallOptions, VimClient } from './client.ts';
import { ConnectionLost } from './connection-lost.ts';
import { endedTasks } from './ended-tasks.ts';
import type { ArgsOf, TaskMethodName, TaskResultOf } from './method-types.ts';
import type { StreamFilter } from './update-stream.ts';
import { faultOf } from './wire-fault.ts';

/** The endpoint does not know the task any more, nor does its history tell how it ended. */
export class TaskLost extends Error {
  override readonly name = 'TaskLost';
}

export interface TaskOptions {
  /** Ends the following, not the task; for that there is CancelTask. */
  readonly signal?: AbortSignal;
  /** Every state of the task that is heard of. */
  readonly onInfo?: (info: TaskInfo) => void;
}

interface Waiting {
  readonly onInfo: ((info: TaskInfo) => void) | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Open {
  readonly task: MoRef<'Task'>;
  readonly waiting: Set<Waiting>;
  /** The endpoint does not show it any more: its history is asked how it ended. */
  isMissed: boolean;
}

const RETRY_MS = 1000;

export class TaskFollower {
  readonly #client: VimClient;
  readonly #clock: Clock;
  /** By the task's id. */
  readonly #open = new Map<string, Open>();
  #view: MoRef<'ListView'> | undefined;
  #added = new Map<string, MoRef<'Task'>>();
  #removed = new Map<string, MoRef<'Task'>>();
  #isModifying = false;
  #end: { readonly reason: unknown } | undefined;

  constructor(client: VimClient, clock: Clock = systemClock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Tasks that are followed now. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * A *_Task method to its end. Rejects with what the call or the task failed with, with TaskLost, or with the reason of `close`.
   */
  async run<T extends keyof ManagedTypes, M extends TaskMethodName<T>>(
    target: MoRef<T>,
    method: M,
    args: ArgsOf<T, M>,
    options: TaskOptions & CallOptions = {},
  ): Promise<TaskResultOf<M>> {
    const { onInfo: _, ...call } = options;
    const task = await this.#client.call(target, method, args, call);
    return (await this.follow(task as MoRef<'Task'>, options)) as TaskResultOf<M>;
  }

  /** A task that runs already, to its end: resolves with its result, unboxed. Rejects as `run`. */
  follow(task: MoRef<'Task'>, options: TaskOptions = {}): Promise<unknown> {
    const { signal, onInfo } = options;
    if (this.#end) return Promise.reject(this.#end.reason as Error);
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const waiting = { onInfo, resolve, reject };
    const open = this.#openTask(task);
    open.waiting.add(waiting);
    const onAbort = () => {
      reject(signal?.reason);
      open.waiting.delete(waiting);
      if (open.waiting.size === 0) this.#forget(open);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  /**
   * What a stream has to follow for this follower; give it as the last of the stream's filters. Makes a new view, as the old
   * one has gone with its session.
   */
  async filter(): Promise<StreamFilter> {
    const { viewManager } = await this.#client.content();
    if (!viewManager) throw new Error('the endpoint has no ViewManager');
    const view = await this.#client.call(viewManager, 'CreateListView', {});
    const former = this.#view;
    this.#view = view;
    const shown = [...this.#open.values()].filter(({ isMissed }) => !isMissed);
    this.#added = new Map(shown.map(({ task }) => [task.value, task]));
    this.#removed.clear();
    if (former) this.#client.call(former, 'DestroyView', {} as never, { renews: false }).catch(() => undefined);
    void this.#modify();
    return {
      spec: make('PropertyFilterSpec', {
        propSet: [make('PropertySpec', { type: 'Task', pathSet: ['info'] })],
        objectSet: [
          make('ObjectSpec', {
            obj: view,
            skip: true,
            selectSet: [make('TraversalSpec', { type: 'ListView', path: 'view' })],
          }),
        ],
      }),
    };
  }

  /** Takes in what a set tells of tasks; the rest it leaves alone. */
  apply(objects: readonly ObjectUpdate[]): void {
    for (const { obj, kind, changeSet = [] } of objects) {
      const open = obj.type === 'Task' ? this.#open.get(obj.value) : undefined;
      if (!open) continue;
      const info = changeSet.find(({ name }) => name === 'info')?.val;
      if (isA('TaskInfo', info)) this.#heard(open, info);
      else if (kind === 'leave') this.#lose([open]);
    }
  }

  /** Nobody carries the filter any more: everything that is followed rejects with `reason`, and so does what comes later. */
  close(reason: unknown): void {
    this.#end ??= { reason };
    for (const { waiting } of this.#open.values()) for (const { reject } of waiting) reject(this.#end.reason);
    this.#open.clear();
    this.#view = undefined;
  }

  #openTask(task: MoRef<'Task'>): Open {
    const known = this.#open.get(task.value);
    if (known) return known;
    const open: Open = { task, waiting: new Set(), isMissed: false };
    this.#open.set(task.value, open);
    this.#removed.delete(task.value);
    this.#added.set(task.value, task);
    void this.#modify();
    return open;
  }

  #heard(open: Open, info: TaskInfo): void {
    for (const { onInfo } of open.waiting) onInfo?.(info);
    if (info.state !== 'success' && info.state !== 'error') return;
    this.#forget(open);
    settle(open.waiting, info);
  }

  /** Their ends were missed: they left before, or the endpoint was restarted. Its history may know. */
  #lose(gone: readonly Open[]): void {
    const missed = gone.filter(({ isMissed }) => !isMissed);
    for (const open of missed) {
      open.isMissed = true;
      this.#added.delete(open.task.value);
    }
    if (missed.length > 0) void this.#settleByHistory(missed);
  }

  async #settleByHistory(missed: readonly Open[]): Promise<void> {
    const ended = await this.#ask(missed);
    for (const open of missed) {
      if (!this.#isOpen(open)) continue;
      const { task, waiting } = open;
      const info = ended.get(task.value);
      if (info) this.#heard(open, info);
      else {
        this.#forget(open);
        const lost = new TaskLost(`the endpoint does not know ${task.value} any more`);
        for (const { reject } of waiting) reject(lost);
      }
    }
  }

  /** What the history tells of them, as long as somebody wants to know; nothing when it does not answer such questions. */
  async #ask(missed: readonly Open[]): Promise<Map<string, TaskInfo>> {
    const tasks = missed.map(({ task }) => task);
    while (missed.some((open) => this.#isOpen(open))) {
      const { session } = this.#client;
      try {
        return await endedTasks(this.#client, tasks);
      } catch (error) {
        const isCutShort = error instanceof ConnectionLost || this.#client.session !== session;
        if (!isCutShort) break;
        await delay(this.#clock, RETRY_MS);
      }
    }
    return new Map();
  }

  #isOpen(open: Open): boolean {
    return this.#open.get(open.task.value) === open;
  }

  #forget({ task, isMissed }: Open): void {
    this.#open.delete(task.value);
    if (isMissed || this.#added.delete(task.value)) return;
    this.#removed.set(task.value, task);
    void this.#modify();
  }

  async #modify(): Promise<void> {
    if (this.#isModifying) return;
    this.#isModifying = true;
    try {
      await Promise.resolve(); // what is followed in the same breath goes together
      while (this.#view && this.#added.size + this.#removed.size > 0) await this.#modifyOnce(this.#view);
    } finally {
      this.#isModifying = false;
    }
  }

  async #modifyOnce(view: MoRef<'ListView'>): Promise<void> {
    const [added, removed] = [this.#added, this.#removed];
    this.#added = new Map();
    this.#removed = new Map();
    const args = { add: [...added.values()], remove: [...removed.values()] };
    try {
      const unresolved = await this.#client.call(view, 'ModifyListView', args, { renews: false });
      if (view === this.#view) this.#lose((unresolved ?? []).flatMap((ref) => this.#open.get(ref.value) ?? []));
    } catch (error) {
      if (view !== this.#view) return; // the next view has them all
      this.#takeBack(added, removed);
      const missing = isFault(error, 'ManagedObjectNotFound') ? error.fault.obj : undefined;
      if (error instanceof ConnectionLost) await delay(this.#clock, RETRY_MS);
      else if (missing && (added.has(missing.value) || removed.has(missing.value))) this.#drop(missing.value);
      else if (isFault(error, 'NotAuthenticated') || missing?.value === view.value) this.#view = undefined;
      else this.close(error);
    }
  }

  /** What was not done, unless the opposite is to be done by now. */
  #takeBack(added: ReadonlyMap<string, MoRef<'Task'>>, removed: ReadonlyMap<string, MoRef<'Task'>>): void {
    for (const [id, task] of added) if (this.#open.get(id)?.isMissed === false) this.#added.set(id, task);
    for (const [id, task] of removed) if (!this.#added.has(id)) this.#removed.set(id, task);
  }

  /** An endpoint that refuses the whole call for one task that it does not know. */
  #drop(id: string): void {
    this.#removed.delete(id);
    const open = this.#open.get(id);
    if (open) this.#lose([open]);
  }
}

function settle(waiting: Iterable<Waiting>, info: TaskInfo): void {
  for (const { resolve, reject } of waiting) {
    if (info.state === 'success') resolve(unbox(info.result));
    else reject(faultOf(info.error?.fault, info.error?.localizedMessage));
  }
}
