// Calls from inside the daemon's own process: as a user, through the dispatch like everybody's, without a network.
import { MethodFault, type MoRef, schema, type TaskInfo } from '@vivarium/vim';
import type { Call } from './call.ts';
import type { Service } from './service.ts';
import type { SessionIdentity } from './session/session.ts';

export interface LocalUser {
  readonly call: Call;
  invoke<R = unknown>(ref: MoRef, method: string, args?: object): Promise<R>;
  /** Calls a method that returns a task; its result, or the fault that it ended with. */
  run<R = unknown>(ref: MoRef, method: string, args?: object): Promise<R>;
  /** Ends the session. */
  end(): void;
}

/** `more`: of the call, what is not as it is on loopback. */
export function localUser(
  service: Service,
  identity: SessionIdentity,
  userAgent: string,
  more: Partial<Call> = {},
): LocalUser {
  const origin = { ipAddress: '127.0.0.1', userAgent, locale: 'en' };
  const session = service.sessions.open(identity, origin);
  const call: Call = {
    session,
    version: schema.versions[0] ?? schema.legacyVersion,
    signal: new AbortController().signal,
    service,
    remoteAddress: origin.ipAddress,
    localAddress: origin.ipAddress,
    ...more,
  };
  const invoke = async <R>(ref: MoRef, method: string, args: object = {}) =>
    (await service.invoke({ this: ref, method, args: { ...args } }, call)) as R;
  return {
    call,
    invoke,
    async run<R>(ref: MoRef, method: string, args: object = {}) {
      const info = await ended(service, await invoke<MoRef<'Task'>>(ref, method, args));
      if (info.error) throw MethodFault.from(info.error.fault as { _typeName?: string }, info.error.localizedMessage);
      return info.result as R;
    },
    end: () => service.sessions.terminate(session),
  };
}

function ended({ graph }: Service, { type, value }: MoRef<'Task'>): Promise<TaskInfo> {
  const task = { type, value } as MoRef<'Task'>;
  const object = graph.get(task);
  return new Promise((resolve) => {
    const look = () => {
      const info = object.get('info');
      if (!info || (info.state !== 'success' && info.state !== 'error')) return false;
      resolve(info);
      return true;
    };
    if (look()) return;
    const stop = graph.subscribe(task, () => {
      if (look()) stop();
    });
  });
}
