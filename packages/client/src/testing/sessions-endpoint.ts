// For tests: a fake endpoint that keeps to vSphere's rules of sessions: views and collectors belong to one session and die with it,
// tasks are shown until the endpoint is restarted, its history of tasks stays. Any of its requests can meet with an accident.
import { MethodFault, type MoRef, moRef } from '@vivarium/vim';
import { type FakeEndpoint, type FakeRequest, HANG_UP } from './fake-endpoint.ts';

/**
 * `session`: all sessions have ended when the request comes. `restart`: its tasks are not shown any more either, and those that ran
 * have failed. `lost`: the request does not arrive. `unheard`: it is carried out, its answer is lost.
 */
export type Accident = 'session' | 'restart' | 'lost' | 'unheard';

export interface SessionsEndpoint {
  /** Requests after the first login so far. */
  readonly count: number;
  /** Members of the requests that have met with their accidents. */
  readonly struck: readonly string[];
  /** How tasks ended, by their id. */
  readonly ended: ReadonlyMap<string, 'success' | 'error'>;
}

/**
 * Answers `endpoint`'s requests from now on. `accidents`: by the request's number after the first login, from 0. `isStrict`: a view
 * that is to be changed refuses everything when it does not know one of the tasks, instead of telling which.
 */
export function keepSessions(
  endpoint: FakeEndpoint,
  accidents: ReadonlyMap<number, Accident>,
  { isStrict = false } = {},
): SessionsEndpoint {
  let made = 0;
  let count = -1; // the first login
  let version = 0;
  let session: string | undefined;
  let changed = Promise.withResolvers<void>();
  const struck: string[] = [];
  /** What belongs to the session. */
  const views = new Map<string, Set<string>>();
  const collectors = new Map<string, { view: string }>();
  const shown = new Map<string, { readonly since: number; readonly state: 'running' | 'success' }>();
  const ended = new Map<string, 'success' | 'error'>();

  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const endSessions = () => {
    session = undefined;
    views.clear();
    collectors.clear();
    wake();
  };
  const restart = () => {
    for (const [id, { state }] of shown) if (state === 'running') ended.set(id, 'error');
    shown.clear();
    endSessions();
  };
  const own = <T>(all: ReadonlyMap<string, T>, ref: MoRef): T => {
    const one = all.get(ref.value);
    if (!one) throw new MethodFault('ManagedObjectNotFound', { obj: ref });
    return one;
  };
  const infoOf = (id: string, state: string) => ({
    _typeName: 'TaskInfo',
    key: id,
    state,
    ...(state === 'error' ? { error: { fault: { _typeName: 'SystemError', reason: '' } } } : {}),
  });
  /** As soon as somebody follows it a task ends: its end can be missed. */
  const end = (id: string) => {
    shown.set(id, { since: ++version, state: 'success' });
    ended.set(id, 'success');
  };

  const answers: Record<string, (request: FakeRequest) => unknown> = {
    PowerOnVM_Task() {
      const id = `task-${++made}`;
      shown.set(id, { since: ++version, state: 'running' });
      return { type: 'Task', value: id };
    },
    CreateListView() {
      const id = `view-${++made}`;
      views.set(id, new Set());
      return { type: 'ListView', value: id };
    },
    ModifyListView({ target, body }) {
      const view = own(views, moRef('ListView', target));
      const { add = [], remove = [] } = body as { add?: MoRef[]; remove?: MoRef[] };
      const unknown = [...add, ...remove].find(({ value }) => !shown.has(value));
      if (isStrict && unknown) throw new MethodFault('ManagedObjectNotFound', { obj: unknown });
      for (const { value } of add) if (shown.has(value)) view.add(value);
      for (const { value } of remove) view.delete(value);
      for (const { value } of add) if (shown.get(value)?.state === 'running') end(value);
      wake();
      return add.filter(({ value }) => !shown.has(value));
    },
    DestroyView: ({ target }) => void views.delete(target),
    CreatePropertyCollector() {
      const id = `collector-${++made}`;
      collectors.set(id, { view: '' });
      return { type: 'PropertyCollector', value: id };
    },
    DestroyPropertyCollector: ({ target }) => void collectors.delete(target),
    CreateFilter({ target, body }) {
      const { objectSet } = body['spec'] as { objectSet: readonly { obj: MoRef }[] };
      const [root] = objectSet.map(({ obj }) => obj) as [MoRef];
      own(views, root);
      own(collectors, moRef('PropertyCollector', target)).view = root.value;
      return { type: 'PropertyFilter', value: `filter-${++made}` };
    },
    async WaitForUpdatesEx({ target, body, session: asking }) {
      const known = Number(body['version']);
      const { maxWaitSeconds } = body['options'] as { maxWaitSeconds: number };
      for (;;) {
        requireSession(asking);
        const ids = own(views, moRef('ListView', own(collectors, moRef('PropertyCollector', target)).view));
        const news = [...ids].flatMap((id) => (Number(shown.get(id)?.since) > known ? [id] : []));
        if (news.length > 0) return { version: String(version), filterSet: [{ objectSet: news.map(updateOf) }] };
        if (maxWaitSeconds === 0) return undefined;
        await changed.promise;
      }
    },
    CreateCollectorForTasks: () => ({ type: 'TaskHistoryCollector', value: 'history' }),
    latestPage: () => Array.from(ended, ([id, state]) => infoOf(id, state)),
  };
  const updateOf = (id: string) => ({
    kind: 'modify',
    obj: moRef('Task', id),
    changeSet: [{ name: 'info', op: 'assign', val: infoOf(id, shown.get(id)?.state ?? '') }],
  });
  const requireSession = (asking: string | undefined) => {
    if (session === undefined || asking !== session)
      throw new MethodFault('NotAuthenticated', { object: moRef('Task', ''), privilegeId: '' });
  };

  for (const [member, answer] of Object.entries(answers)) {
    endpoint.answers[member] = async (request) => {
      const accident = strike(member);
      if (accident === 'lost') return HANG_UP;
      requireSession(request.session);
      const result = await answer(request);
      return accident === 'unheard' ? HANG_UP : result;
    };
  }
  endpoint.answers['Login'] = (request) => {
    const accident = strike('Login');
    if (accident === 'lost') return HANG_UP;
    request.enter((session = `session-${++made}`));
    return accident === 'unheard' ? HANG_UP : undefined;
  };
  const strike = (member: string): Accident | undefined => {
    const accident = accidents.get(count++);
    if (accident !== undefined) struck.push(member);
    if (accident === 'session') endSessions();
    if (accident === 'restart') restart();
    return accident;
  };
  return {
    get count() {
      return Math.max(0, count);
    },
    struck,
    ended,
  };
}
