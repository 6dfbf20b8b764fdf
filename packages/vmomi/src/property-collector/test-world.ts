// For tests: a graph with collectors, views and a search index over it, sessions with any rights, and a clock that
// moves when told to.
import assert from 'node:assert/strict';
import { type Clock, silentLogger } from '@vivarium/base';
import {
  type ApiVersion,
  decodeSoapResponse,
  encodeSoapResponse,
  isFault,
  type MoRef,
  moRef,
  type ObjectContent,
  type PropertyFilterSpec,
  schema,
  type UpdateSet,
} from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import { ObjectGraph } from '../graph/object-graph.ts';
import { addSearchIndex } from '../search-index/search-index.ts';
import type { Service } from '../service.ts';
import { anonymousSession, type OpenSession, openSession, type Session } from '../session/session.ts';
import { StandIns } from '../session/stand-ins.ts';
import { Views } from '../view-manager/view-manager.ts';
import { ChangeRouter } from './change-router.ts';
import { type CollectorLimits, PropertyCollectors } from './property-collector.ts';

export type Policy = (session: Session, object: ManagedObject, privilege: string) => boolean;

export const COLLECTOR = moRef('PropertyCollector', 'propertyCollector');
export const VIEW_MANAGER = moRef('ViewManager', 'ViewManager');
export const SEARCH_INDEX = moRef('SearchIndex', 'SearchIndex');
export const ROOT = moRef('Folder', 'group-d1');

interface TestTimer {
  readonly at: number;
  readonly fire: () => void;
}

/** Authorization that asks a function. Own objects of a session may be read by it, as with the real one. */
class PolicyAuthorization {
  policy: Policy = () => true;
  readonly #listeners = new Set<() => void>();

  holds(session: Session, object: ManagedObject, privilege: string): boolean {
    if (privilege === 'System.Anonymous') return true;
    if (session.isAnonymous) return false;
    return object.session === session || this.policy(session, object, privilege);
  }

  privilegesOn(session: Session, object: ManagedObject): { has(privilege: string): boolean } {
    return { has: (privilege) => this.holds(session, object, privilege) };
  }

  momentary(session: Session) {
    return (object: ManagedObject) => this.privilegesOn(session, object);
  }

  entityOf(object: ManagedObject): MoRef {
    return schema.isSubtype(object.ref.type, 'ManagedEntity') ? object.ref : ROOT;
  }

  isSetOn(): boolean {
    return false;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** New rights for everybody. */
  change(policy: Policy): void {
    this.policy = policy;
    for (const listener of this.#listeners) listener();
  }
}

export class TestWorld {
  readonly graph = new ObjectGraph();
  readonly authorization = new PolicyAuthorization();
  readonly router = new ChangeRouter(this.graph);
  readonly collectors: PropertyCollectors;
  /** The session that `invoke` uses unless told otherwise. */
  readonly user: OpenSession;
  readonly anonymous = anonymousSession();
  #now = 0;
  #ids = 0;
  readonly #timers = new Set<TestTimer>();
  #deferred: (() => void)[] = [];

  constructor(limits: Partial<CollectorLimits> = {}) {
    const { graph, router } = this;
    const authorization = this.authorization as never;
    const random = { bytes: (count: number) => Buffer.from(String(++this.#ids).padStart(count, '0')) };
    const standIns = new StandIns();
    const defer = (run: () => void) => void this.#deferred.push(run);
    this.collectors = new PropertyCollectors({
      graph,
      authorization,
      clock: this.clock,
      random,
      router,
      standIns,
      defer,
      limits,
    });
    this.collectors.addDefault(COLLECTOR);
    new Views({ graph, authorization, random, rootFolder: ROOT, router, standIns }).addManager(VIEW_MANAGER);
    addSearchIndex({ graph, rootFolder: ROOT, router }, SEARCH_INDEX);
    this.user = this.login('user');
  }

  readonly clock: Clock = {
    now: () => this.#now,
    monotonic: () => this.#now,
    setTimer: (delayMs, fire) => {
      const timer = { at: this.#now + delayMs, fire };
      this.#timers.add(timer);
      return { cancel: () => this.#timers.delete(timer) };
    },
  };

  /** Timers that have not fired. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets `ms` pass. */
  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.fire();
    }
  }

  /** Runs what waits for the next turn of the event loop; returns how many did. */
  turn(): number {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const run of deferred) run();
    return deferred.length;
  }

  login(userName: string): OpenSession {
    const names = { id: `secret-${userName}`, key: `key-${userName}` };
    const origin = { ipAddress: '127.0.0.1', userAgent: '', locale: 'en' };
    return openSession(names, { userName, fullName: userName, groups: [] }, origin, 0);
  }

  call(session: Session = this.user.session, options: { version?: ApiVersion; signal?: AbortSignal } = {}): Call {
    const service = { log: silentLogger, graph: this.graph, authorization: this.authorization, rootFolder: ROOT };
    const signal = options.signal ?? new AbortController().signal;
    return {
      session,
      version: options.version ?? newestVersion(),
      signal,
      onGone(run) {
        if (signal.aborted) run();
        signal.addEventListener('abort', run);
        return () => signal.removeEventListener('abort', run);
      },
      service: service as unknown as Service,
      remoteAddress: '127.0.0.1',
    };
  }

  /** Calls a method as the dispatcher would, without its checks. */
  async invoke<R = unknown>(ref: MoRef, method: string, args: object = {}, call: Call = this.call()): Promise<R> {
    const handler = this.graph.get(ref).method(method);
    assert.ok(handler, `${ref.type} has no ${method}`);
    return (await handler(args, call)) as R;
  }

  async retrieve(specSet: PropertyFilterSpec[], call?: Call): Promise<ObjectContent[]> {
    const objects = await this.invoke(COLLECTOR, 'RetrieveProperties', { specSet }, call);
    return (overTheWire('RetrieveProperties', objects) ?? []) as ObjectContent[];
  }

  async createFilter(spec: PropertyFilterSpec, partialUpdates = false, call?: Call): Promise<MoRef<'PropertyFilter'>> {
    return await this.invoke(COLLECTOR, 'CreateFilter', { spec, partialUpdates }, call);
  }

  /** WaitForUpdatesEx that does not wait. */
  async check(version: string, options: object = {}, call?: Call): Promise<UpdateSet | undefined> {
    const waitOptions = { maxWaitSeconds: 0, ...options };
    const set = await this.invoke(COLLECTOR, 'WaitForUpdatesEx', { version, options: waitOptions }, call);
    return overTheWire('WaitForUpdatesEx', set) as UpdateSet | undefined;
  }
}

export function newestVersion(): ApiVersion {
  const [newest] = schema.versions;
  assert.ok(newest);
  return newest;
}

/** What a SOAP client decodes of a PropertyCollector's answer. */
export function overTheWire(method: string, value: unknown, version: ApiVersion = newestVersion()): unknown {
  const info = schema.declaredMethod(method);
  assert.ok(info);
  return decodeSoapResponse(info.result, encodeSoapResponse(method, info.result, value, version), version);
}

/** For assert.rejects: the fault has this type and these properties. */
export function fault(type: string, properties: object = {}): (error: unknown) => true {
  return (error) => {
    assert.ok(isFault(error, 'MethodFault'), String(error));
    assert.equal(error.fault._typeName, type);
    for (const [name, value] of Object.entries(properties)) {
      assert.deepEqual((error.fault as unknown as Record<string, unknown>)[name], value, name);
    }
    return true;
  };
}

/** A spec that reports paths of single objects. */
export function specOf(type: string, pathSet: string[], ...objects: MoRef[]): PropertyFilterSpec {
  return { propSet: [{ type: type as never, pathSet }], objectSet: objects.map((obj) => ({ obj })) };
}

export function addFolder(
  world: TestWorld,
  ref: MoRef<'Folder'>,
  name: string,
  children: MoRef[] = [],
  parent?: MoRef,
): ManagedObject<'Folder'> {
  return world.graph.add(ref, {
    name,
    childEntity: children as MoRef<'ManagedEntity'>[],
    ...(parent ? { parent: parent as MoRef<'ManagedEntity'> } : {}),
  });
}

/** A machine as far as these tests look into it. */
export function addMachine(world: TestWorld, id: string, properties: object = {}): ManagedObject<'VirtualMachine'> {
  return world.graph.add(moRef('VirtualMachine', id), { name: `name of ${id}`, ...properties } as never);
}
