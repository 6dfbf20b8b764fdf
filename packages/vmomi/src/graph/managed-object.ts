// One managed object: its reference, its property values, its methods. What the methods do comes in as handlers.
import { isDeepStrictEqual } from 'node:util';
import type { Handlers, ManagedTypes, MoRef, Properties } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { Session } from '../session/session.ts';
import { readPath, withPath } from './property-value.ts';

/** Properties whose value depends on who asks, or when. Not reported as changed unless `touch` says so. */
export type Computed<T extends keyof ManagedTypes> = {
  readonly [P in keyof Properties<T>]?: (call: Call) => Properties<T>[P] | undefined;
};

export interface ObjectOptions<T extends keyof ManagedTypes> {
  /** Asked for at every read, with the reader's call: SessionManager.currentSession, ServiceInstance.serverClock. */
  readonly computed?: Computed<T>;
  /**
   * Where the privileges for this object are checked. Default: a ManagedEntity itself, a Task's info.entity, the root
   * folder for everything else. A host's HostNetworkSystem names its HostSystem here.
   */
  readonly entity?: MoRef;
  /**
   * The session that the object belongs to (filters, views, collectors): for every other one it does not exist, and for
   * its own it needs no System.View or System.Read. Its maker removes it in `session.onEnd`.
   */
  readonly session?: Session;
}

type Handler = (args: object, call: Call) => unknown;

/** Tells the graph; returns the version of the change. */
type ChangeReport = (paths: readonly string[], before: Readonly<Record<string, unknown>>) => number;

export class ManagedObject<T extends keyof ManagedTypes = keyof ManagedTypes> {
  readonly ref: MoRef<T>;
  /** See ObjectOptions. */
  readonly entity: MoRef | undefined;
  readonly session: Session | undefined;
  readonly #handlers: Readonly<Record<string, Handler | undefined>>;
  readonly #defaults: Record<string, Handler | undefined> = {};
  readonly #computed: Record<string, ((call: Call) => unknown) | undefined>;
  readonly #values: Record<string, unknown>;
  readonly #versions = new Map<string, number>();
  readonly #report: ChangeReport;

  /** Made by ObjectGraph.add only. */
  constructor(
    ref: MoRef<T>,
    properties: Properties<T>,
    handlers: Handlers<T, Call>,
    options: ObjectOptions<T>,
    report: ChangeReport,
  ) {
    this.ref = { type: ref.type, value: ref.value } as MoRef<T>;
    this.#handlers = handlers as Record<string, Handler | undefined>;
    this.entity = options.entity;
    this.session = options.session;
    this.#computed = { ...options.computed } as Record<string, ((call: Call) => unknown) | undefined>;
    this.#values = { ...properties };
    this.#report = report;
  }

  /** The containing entity, for managed entities. */
  get parent(): MoRef | undefined {
    return this.#values['parent'] as MoRef | undefined;
  }

  get<P extends keyof Properties<T>>(name: P): Properties<T>[P] | undefined {
    return this.#values[name as string] as Properties<T>[P] | undefined;
  }

  /** The stored value at a property path, 'config.hardware.device[4000].backing'; undefined when unset on the way. */
  getPath(path: string): unknown {
    return readPath(this.#values, path);
  }

  /** As getPath, but with computed properties, as the maker of `call` sees them. */
  read(path: string, call: Call): unknown {
    const name = topLevel(path);
    const compute = this.#computed[name];
    return compute ? readPath({ [name]: compute(call) }, path) : readPath(this.#values, path);
  }

  /** What serves a method ('PowerOnVM_Task'); undefined when nobody built it. */
  method(name: string): Handler | undefined {
    const handler = this.#handlers[name];
    return handler ? (args, call) => handler.call(this.#handlers, args, call) : this.#defaults[name];
  }

  /** Fills in what every object of a kind has and its maker leaves out (setCustomValue, effectiveRole). */
  provide(defaults: { methods?: Handlers<T, Call>; computed?: Computed<T> }): void {
    Object.assign(this.#defaults, defaults.methods);
    for (const [name, compute] of Object.entries(defaults.computed ?? {})) {
      this.#computed[name] ??= compute as (call: Call) => unknown;
    }
  }

  /** Whether a top-level property is computed at every read (then its encoded form must not be cached). */
  isComputed(name: string): boolean {
    return this.#computed[name] !== undefined;
  }

  /** The graph version at which a top-level property last changed; 0 = since the object was added. */
  versionOf(name: string): number {
    return this.#versions.get(name) ?? 0;
  }

  /** Names of the top-level properties that have a value or are computed. */
  propertyNames(): string[] {
    return [...new Set([...Object.keys(this.#values), ...Object.keys(this.#computed)])];
  }

  /** Sets one path ('runtime.powerState', 'config'); undefined unsets. No-op when deep-equal to what is there. */
  set(path: string, value: unknown): void {
    this.update({ [path]: value });
  }

  /** Sets several paths as one change with one version. Paths are property names joined by dots, without [keys]. */
  update(changes: Readonly<Record<string, unknown>>): void {
    const before: Record<string, unknown> = {};
    const paths: string[] = [];
    for (const [path, value] of Object.entries(changes)) {
      if (isDeepStrictEqual(readPath(this.#values, path), value)) continue;
      const name = topLevel(path);
      if (!Object.hasOwn(before, name) && this.#values[name] !== undefined) before[name] = this.#values[name];
      const next = withPath(this.#values[name], path.split('.').slice(1), value);
      if (next === undefined) delete this.#values[name];
      else this.#values[name] = next;
      paths.push(path);
    }
    if (paths.length > 0) this.#note(paths, before);
  }

  /** Says that a computed property would now read differently. */
  touch(name: keyof Properties<T> & string): void {
    this.#note([name], {});
  }

  #note(paths: readonly string[], before: Readonly<Record<string, unknown>>): void {
    const version = this.#report(paths, before);
    for (const path of paths) this.#versions.set(topLevel(path), version);
  }
}

function topLevel(path: string): string {
  const end = path.search(/[.[]/);
  return end < 0 ? path : path.slice(0, end);
}
