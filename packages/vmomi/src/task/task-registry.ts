// Long work that clients watch. Owns the Task objects: their ids, their states, their end, their history.
//
//   queued --> running --> success
//      |          |------> error      (fault thrown, cancelled, or the daemon stopped)
//      `-----------------> error      (interrupted by a restart: found in the history)
//
// A finished task stays in the graph for ten minutes, as on ESXi and vCenter, then only in the history.
import { type Clock, dateTime, delay, type Logger } from '@vivarium/base';
import type { History } from '@vivarium/store';
import {
  MethodFault,
  type MoRef,
  make,
  moRef,
  sameRef,
  schema,
  type TaskInfo,
  type TaskReason,
  toLocalizedMethodFault,
} from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { EventLog } from '../event/event-log.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import { storeFault } from '../store-fault.ts';
import { taskOperation, taskText } from './task-text.ts';

export interface TaskSpec {
  /** What the task works on; it shows up in the recentTask of that entity, or of the one that it belongs to. */
  readonly entity?: MoRef;
  /** 'VirtualMachine.powerOn', see task-catalogue.ts. */
  readonly descriptionId: string;
  /** The request that started it; without one the system did. */
  readonly call?: Call;
  readonly cancelable?: boolean;
}

export interface TaskHandle {
  readonly ref: MoRef<'Task'>;
  /** Aborted when a client cancels the task (if cancelable) or the daemon stops. */
  readonly signal: AbortSignal;
  /** 0 … 100. */
  progress(percent: number): void;
}

/** Resolves with TaskInfo.result (boxed if it is not a plain value), rejects with the fault. */
export type TaskWork = (task: TaskHandle) => Promise<unknown>;

export const TASK_STREAM = 'tasks';
const KEPT_TASKS = 10_000;
const SHOWN_AFTER_END_MS = 10 * 60_000;
/** Finished tasks in the graph: of more the oldest leave early, but not before whoever started them has seen their end. */
const MANY_FINISHED = 500;
const SHOWN_AT_LEAST_MS = 30_000;
/** Beyond this they leave at once. */
const MOST_FINISHED = 5000;
/** Work that does not heed its signal for longer is left behind when the daemon stops. */
const STOP_WITHIN_MS = 10_000;

interface Running {
  readonly number: number;
  readonly object: ManagedObject<'Task'>;
  readonly controller: AbortController;
  isCancelled: boolean;
}

interface Finished {
  readonly object: ManagedObject<'Task'>;
  /** Of the monotonic clock. */
  readonly endedMs: number;
}

export class TaskRegistry {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #history: History;
  readonly #graph: ObjectGraph;
  readonly #events: EventLog;
  readonly #idStyle: 'HostAgent' | 'VirtualCenter';
  readonly #running = new Map<Running, Promise<unknown>>();
  /** In the order in which they ended. */
  readonly #finished = new Set<Finished>();
  readonly #listeners = new Set<(info: TaskInfo) => void>();
  #lastNumber: number;
  #written: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: {
    clock: Clock;
    log: Logger;
    history: History;
    graph: ObjectGraph;
    events: EventLog;
    idStyle: 'HostAgent' | 'VirtualCenter';
  }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#history = options.history;
    this.#graph = options.graph;
    this.#events = options.events;
    this.#idStyle = options.idStyle;
    this.#lastNumber = options.history.lastKey(TASK_STREAM);
    this.#closeInterrupted();
  }

  /** Starts work and returns at once. */
  start(spec: TaskSpec, work: TaskWork): MoRef<'Task'> {
    const running = this.#create(spec);
    const ended = this.#drive(running, work);
    ended.catch(() => undefined); // the failure is in info.error
    return running.object.ref;
  }

  /** As start, but waits: resolves with the result or rejects with what the work threw. */
  async run(spec: TaskSpec, work: TaskWork): Promise<unknown> {
    return this.#drive(this.#create(spec), work);
  }

  /** Faults: InvalidState when it has ended, NotSupported when it cannot be cancelled. */
  cancel(ref: MoRef<'Task'>): void {
    const running = [...this.#running.keys()].find(({ object }) => sameRef(object.ref, ref));
    if (!running) throw new MethodFault('InvalidState');
    if (!running.object.get('info')?.cancelable) throw new MethodFault('NotSupported');
    running.isCancelled = true;
    running.object.set('info.cancelled', true);
    running.controller.abort(new MethodFault('RequestCanceled'));
  }

  /** Queued, running and lately finished tasks, oldest first. */
  recent(): MoRef<'Task'>[] {
    return Array.from(this.#graph.ofType('Task'), ({ ref }) => ref);
  }

  /** Hears of every task that starts or ends. */
  onChange(listener: (info: TaskInfo) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when the history holds every task known so far. */
  settled(): Promise<void> {
    return this.#written;
  }

  /** Asks all running work to stop, waits a while for it, then for the history. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { controller } of this.#running.keys()) controller.abort(new MethodFault('RequestCanceled'));
    await Promise.race([Promise.allSettled(this.#running.values()), delay(this.#clock, STOP_WITHIN_MS)]);
    await this.#written;
  }

  #create(spec: TaskSpec): Running {
    if (this.#isClosed) throw new MethodFault('InvalidState');
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const ref = moRef('Task', this.#id(spec, number));
    const controller = new AbortController();
    const info = this.#newInfo(spec, ref);
    const object: ManagedObject<'Task'> = this.#graph.add<'Task'>(ref, { info });
    const running = { number, object, controller, isCancelled: false };
    this.#postTaskEvent(object, spec);
    this.#note(running);
    return running;
  }

  #newInfo({ entity: subject, descriptionId, call, cancelable = false }: TaskSpec, ref: MoRef<'Task'>): TaskInfo {
    const { method, label } = taskText(descriptionId);
    const entity = subject && this.#entityOf(subject);
    const name = entity && this.#graph.find(entity)?.getPath('name');
    return make('TaskInfo', {
      key: ref.value,
      task: ref,
      description: { _typeName: 'LocalizableMessage', key: descriptionId, message: label },
      name: method === '' ? undefined : method,
      descriptionId,
      entity: entity as MoRef<'ManagedEntity'> | undefined,
      entityName: typeof name === 'string' ? name : undefined,
      state: 'queued',
      cancelled: false,
      cancelable,
      reason: taskReason(call),
      queueTime: dateTime(this.#clock),
      eventChainId: 0,
    });
  }

  /** A ManagedEntity, as the API says: a datastore where the work is its browser's. */
  #entityOf(subject: MoRef): MoRef | undefined {
    return schema.isSubtype(subject.type, 'ManagedEntity') ? subject : this.#graph.find(subject)?.entity;
  }

  /** TaskEvent carries the task as it was queued; its chain is the task's. */
  #postTaskEvent(object: ManagedObject<'Task'>, { call }: TaskSpec): void {
    const info = object.get('info');
    if (!info) return;
    const vm = info.entity?.type === 'VirtualMachine' ? info.entity : undefined;
    const about = vm
      ? { vm: make('VmEventArgument', { name: info.entityName ?? '', vm: vm as MoRef<'VirtualMachine'> }) }
      : {};
    const event = this.#events.post({ _typeName: 'TaskEvent', info, ...about }, call);
    object.set('info.eventChainId', event.chainId);
  }

  async #drive(running: Running, work: TaskWork): Promise<unknown> {
    const { object, controller } = running;
    const handle: TaskHandle = {
      ref: object.ref,
      signal: controller.signal,
      progress: (percent) => {
        if (this.#running.has(running)) object.set('info.progress', Math.max(0, Math.min(100, Math.round(percent))));
      },
    };
    const ended = Promise.resolve().then(() => {
      object.update({ 'info.state': 'running', 'info.startTime': dateTime(this.#clock) });
      return work(handle);
    });
    this.#running.set(running, ended);
    try {
      const result = await ended;
      this.#end(running, { 'info.state': 'success', 'info.result': result });
      return result;
    } catch (error) {
      this.#end(running, { 'info.state': 'error', 'info.error': this.#failure(running, error) });
      throw error;
    }
  }

  /** What the client sees. Anything that is not a fault is ours to look into, not the client's. */
  #failure({ object, isCancelled }: Running, error: unknown) {
    const isAbort = isCancelled && error instanceof Error && error.name === 'AbortError';
    if (isAbort) return toLocalizedMethodFault(new MethodFault('RequestCanceled'));
    if (!(error instanceof MethodFault)) {
      this.#log.error(
        { task: object.ref.value, error, stack: error instanceof Error ? error.stack : undefined },
        'a task failed',
      );
    }
    return toLocalizedMethodFault(storeFault(error) ?? error);
  }

  #end(running: Running, outcome: Record<string, unknown>): void {
    this.#running.delete(running);
    const { object } = running;
    object.update({
      ...outcome,
      'info.progress': undefined,
      'info.cancelable': false,
      'info.completeTime': dateTime(this.#clock),
    });
    this.#note(running);
    this.#finished.add({ object, endedMs: this.#clock.monotonic() });
    this.#retireEarly();
    if (this.#finished.size === 1) this.#retireInTime(SHOWN_AFTER_END_MS);
  }

  #retireEarly(): void {
    for (const oldest of this.#finished) {
      if (!this.#leavesEarly(oldest)) return;
      this.#retire(oldest);
    }
  }

  #leavesEarly({ endedMs }: Finished): boolean {
    const count = this.#finished.size;
    return count > MOST_FINISHED || (count > MANY_FINISHED && this.#clock.monotonic() - endedMs >= SHOWN_AT_LEAST_MS);
  }

  /** One timer, for the oldest: most of thousands leave early. */
  #retireInTime(ms: number): void {
    this.#clock.setTimer(ms, () => {
      const now = this.#clock.monotonic();
      for (const oldest of this.#finished) {
        const left = oldest.endedMs + SHOWN_AFTER_END_MS - now;
        if (left > 0) return this.#retireInTime(left);
        this.#retire(oldest);
      }
    });
  }

  #retire(finished: Finished): void {
    const { object } = finished;
    this.#finished.delete(finished);
    this.#graph.remove(object.ref);
    this.#showOnEntity(object, false);
  }

  /** A task has started or ended: history, listeners, the entity's recentTask. */
  #note({ number, object }: Running): void {
    const info = object.get('info');
    if (!info) return;
    this.#written = this.#history
      .append(TASK_STREAM, [{ key: number, timeMs: Date.parse(info.queueTime), value: info }], KEPT_TASKS)
      .catch((error: unknown) => this.#log.error({ error, task: info.key }, 'a task could not be kept in the history'));
    this.#showOnEntity(object, true);
    for (const listener of this.#listeners) listener(info);
  }

  #showOnEntity(object: ManagedObject<'Task'>, isShown: boolean): void {
    const ref = object.get('info')?.entity;
    const entity = ref && this.#graph.find(ref as MoRef);
    if (!entity) return;
    const others = ((entity.getPath('recentTask') ?? []) as MoRef<'Task'>[]).filter(
      (task) => !sameRef(task, object.ref),
    );
    entity.set('recentTask', isShown ? [...others, object.ref] : others);
  }

  /** Tasks that an earlier run of the daemon did not end. */
  #closeInterrupted(): void {
    const page = this.#history.page<TaskInfo>(TASK_STREAM, { order: 'newestFirst', limit: 1000 });
    const error = toLocalizedMethodFault(
      new MethodFault('SystemError', { reason: 'restart' }, 'The management service was restarted while the task ran.'),
    );
    const closed = page
      .filter(({ value }) => value.state === 'queued' || value.state === 'running')
      .map((entry) => ({
        ...entry,
        value: { ...entry.value, state: 'error', error, cancelable: false, completeTime: dateTime(this.#clock) },
      }));
    if (closed.length === 0) return;
    this.#written = this.#history
      .append(TASK_STREAM, closed, KEPT_TASKS)
      .catch((failure: unknown) => this.#log.error({ error: failure }, 'interrupted tasks could not be ended'));
  }

  /** ESXi: haTask-1-vim.VirtualMachine.powerOn-123; vCenter: task-123. */
  #id({ entity, descriptionId }: TaskSpec, number: number): string {
    if (this.#idStyle === 'VirtualCenter') return `task-${number}`;
    return `haTask-${entity ? `${entity.value}-` : ''}${taskOperation(descriptionId)}-${number}`;
  }
}

function taskReason(call: Call | undefined): TaskReason {
  if (!call || call.session.isAnonymous) return make('TaskReasonSystem', {});
  return make('TaskReasonUser', { userName: call.session.userName }) as TaskReason;
}
