// Admission to a VM: at most one request changes it at a time. Decides only who may enter; knows nothing of QEMU.
//
// Rule: a request that moves the VM between power states, or removes it, never waits behind another one: the client is
// told that a task is in progress (TaskInProgress), as ESXi does, because what it saw when it asked may be untrue by
// the time it ran. Other requests wait their turn, up to a limit.
import { Mutex } from '@vivarium/base';
import { type ManagedObjectReference, MethodFault } from '@vivarium/vim';
import type { VmRequest } from './power-state.ts';

const QUEUE_LIMIT = 64;
const waiting: ReadonlySet<VmRequest> = new Set<VmRequest>(['reconfigure', 'reload', 'answer', 'console']);

export interface QueuedRequest {
  readonly request: VmRequest;
  /** The task that carries the request; named in the TaskInProgress fault that others get. */
  readonly task?: ManagedObjectReference<'Task'> | undefined;
  /** Waits whatever it is: a request of our own, which nobody could repeat. */
  readonly waits?: boolean;
}

export class RequestQueue {
  readonly #mutex = new Mutex();
  readonly #entered: QueuedRequest[] = [];
  /** Something longer than a request has the VM. */
  #holder: ManagedObjectReference<'Task'> | undefined;

  /** Until this is disposed of nobody enters: everybody is told of the task, also who may wait. */
  hold(task: ManagedObjectReference<'Task'>): Disposable {
    this.#holder = task;
    return { [Symbol.dispose]: () => (this.#holder = undefined) };
  }

  /** Runs `work` when it is its turn; throws `TaskInProgress` when it may not wait. */
  async enter<T>(entry: QueuedRequest, work: () => Promise<T>): Promise<T> {
    if (this.#holder) throw new MethodFault('TaskInProgress', { task: this.#holder });
    const busy = this.#entered[0];
    const mayWait = entry.waits === true || waiting.has(entry.request);
    if (busy && (!mayWait || this.#entered.length >= QUEUE_LIMIT)) {
      throw new MethodFault('TaskInProgress', { task: busy.task ?? { type: 'Task', value: 'none' } });
    }
    this.#entered.push(entry);
    try {
      return await this.#mutex.run(work);
    } finally {
      this.#entered.splice(this.#entered.indexOf(entry), 1);
    }
  }
}
