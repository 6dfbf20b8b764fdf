// Methods of managed objects as operations use them: through the dispatch, and with the end of the task that they start.
import { MethodFault, type MoRef, type TaskInfo } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';

/** What a method answers. Faults: whatever the dispatch and the method refuse. */
export function runMethod<R = unknown>(call: Call, target: MoRef, method: string, args: object = {}): Promise<R> {
  return call.service.invoke({ this: target, method, args: { ...args } }, call) as Promise<R>;
}

/** Waits for the task that a method starts; its result. Faults: those of the method, and the one that ended the task. */
export async function runTask<R = unknown>(call: Call, target: MoRef, method: string, args: object = {}): Promise<R> {
  const task = await runMethod<MoRef<'Task'>>(call, target, method, args);
  return (await taskEnd(call.service, task, call.signal)) as R;
}

/** The client may go away: the task goes on without anybody waiting for it. */
function taskEnd({ graph }: Service, task: MoRef<'Task'>, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      unsubscribe();
      signal.removeEventListener('abort', onAbort);
      end();
    };
    const onAbort = () => settle(() => reject(new MethodFault('RequestCanceled')));
    const look = () => {
      const info = graph.find(task)?.get('info');
      if (!info) settle(() => reject(new MethodFault('ManagedObjectNotFound', { obj: task as MoRef })));
      else if (info.state === 'success') settle(() => resolve(info.result));
      else if (info.state === 'error') settle(() => reject(taskFault(info)));
    };
    const unsubscribe = graph.subscribe(task as MoRef, look);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else look();
  });
}

function taskFault({ error, key }: TaskInfo): Error {
  if (!error) return new Error(`the task ${key} failed without saying why`);
  return MethodFault.from(error.fault, error.localizedMessage);
}

/** A reference that a task gave as its result. */
export function resultRef(result: unknown): MoRef {
  const { type, value } = (result ?? {}) as Partial<MoRef> & { type?: string; value?: string };
  if (type === undefined || value === undefined) throw new Error(`a task gave ${JSON.stringify(result)} for an object`);
  return { type, value } as MoRef;
}
