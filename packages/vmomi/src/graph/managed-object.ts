// One managed object: its reference, its property values, its methods. What the methods do comes in as handlers.
// There may be 50,000 of them: an object holds its values and little else.
import { isDeepStrictEqual } from 'node:util';
import type { Handlers, ManagedTypes, MoRef, Properties } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { Session } from '../session/session.ts';
import { readPath, withPath } from './property-value.ts';
import type { TypeDefaults } from './type-defaults.ts';

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
  /** An object with the same values that all sessions of the user have in common: see property-collector/shared-states.ts. */
  readonly twin?: MoRef;
}

type Handler = (args: object, call: Call) => unknown;

/** What an object needs of its graph. */
export interface ObjectOwner {
  /** Tells the interested ones; returns the version of the change. */
  changed(object: ManagedObject, paths: readonly string[], before: Readonly<Record<string, unknown>>): number;
}

export class ManagedObject<T extends keyof ManagedTypes = keyof ManagedTypes> {
  readonly ref: MoRef<T>;
  readonly #owner: ObjectOwner;
  readonly #defaults: TypeDefaults;
  readonly #handlers: Readonly<Record<string, Handler | undefined>>;
  readonly #options: ObjectOptions<T>;
  readonly #values: Record<string, unknown>;

  /** Made by ObjectGraph.add only. */
  constructor(
    ref: MoRef<T>,
    properties: Properties<T>,
    handlers: Handlers<T, Call>,
    options: ObjectOptions<T>,
    owner: ObjectOwner,
    defaults: TypeDefaults,
  ) {
    this.ref = { type: ref.type, value: ref.value } as MoRef<T>;
    this.#handlers = handlers as Record<string, Handler | undefined>;
    this.#options = options;
    this.#owner = owner;
    this.#defaults = defaults;
    this.#values = { ...properties };
  }

  /** See ObjectOptions. */
  get entity(): MoRef | undefined {
    return this.#options.entity;
  }

  /** See ObjectOptions. */
  get session(): Session | undefined {
    return this.#options.session;
  }

  /** See ObjectOptions. */
  get twin(): MoRef | undefined {
    return this.#options.twin;
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
    if (!this.isComputed(name)) return readPath(this.#values, path);
    return readPath({ [name]: this.#compute(name, call) }, path);
  }

  /** What serves a method ('PowerOnVM_Task'); undefined when nobody built it. */
  method(name: string): Handler | undefined {
    const handler = this.#handlers[name];
    if (handler) return (args, call) => handler.call(this.#handlers, args, call);
    const common = this.#defaults.methods.get(name);
    return common && ((args, call) => common(this as unknown as ManagedObject, args, call));
  }

  /** Whether a top-level property is computed at every read (then its encoded form must not be cached). */
  isComputed(name: string): boolean {
    const { computed } = this.#options;
    return (computed !== undefined && name in computed) || this.#defaults.computed.has(name);
  }

  /** Names of the top-level properties that have a value or are computed. */
  propertyNames(): string[] {
    const computed = [...Object.keys(this.#options.computed ?? {}), ...this.#defaults.computed.keys()];
    const stored = Object.keys(this.#values).filter((name) => this.#values[name] !== undefined);
    return [...new Set([...stored, ...computed])];
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
      const name = topLevel(path);
      const present = this.#values[name];
      const isWhole = name === path;
      if (isDeepStrictEqual(isWhole ? present : readPath(this.#values, path), value)) continue;
      if (!Object.hasOwn(before, name) && present !== undefined) before[name] = present;
      // What is unset stays as undefined: an object with a deleted property costs more than one with an empty one.
      this.#values[name] = isWhole ? value : withPath(present, path.split('.').slice(1), value);
      paths.push(path);
    }
    if (paths.length > 0) this.#owner.changed(this as unknown as ManagedObject, paths, before);
  }

  /** Says that a computed property would now read differently. */
  touch(name: keyof Properties<T> & string): void {
    this.#owner.changed(this as unknown as ManagedObject, [name], {});
  }

  #compute(name: string, call: Call): unknown {
    const own = (this.#options.computed as Record<string, (call: Call) => unknown> | undefined)?.[name];
    return own ? own(call) : this.#defaults.computed.get(name)?.(this as unknown as ManagedObject, call);
  }
}

function topLevel(path: string): string {
  const end = path.search(/[.[]/);
  return end < 0 ? path : path.slice(0, end);
}
