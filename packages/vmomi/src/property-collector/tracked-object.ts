// One object that a filter reports: what its client was told of it, and what is needed to tell the difference to any
// version that the client may still hold.
import { isDeepStrictEqual } from 'node:util';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { TypePlan } from './filter-plan.ts';
import { Missing, type Viewer } from './viewer.ts';

/** A value that was replaced at `version`. Values are immutable, so keeping the former one is keeping a pointer. */
interface Past {
  readonly version: number;
  readonly index: number;
  readonly before: unknown;
}

/** A path whose value differs from what a client of an older version knows. */
export interface ChangedPath {
  readonly index: number;
  readonly before: unknown;
  readonly after: unknown;
}

const NOTHING: readonly Past[] = [];
const LONG_PAST = 32;

export class TrackedObject {
  readonly plan: TypePlan;
  object: ManagedObject;
  /** Parallel to plan.paths: the value, undefined when unset, a Missing when unreadable. */
  values: unknown[];
  enteredAt: number;
  /** Undefined while it is reported. */
  leftAt: number | undefined;
  /** Since when clients may know of it, earlier stays included while a client may remember them. */
  readonly knownSince: number;
  #past: readonly Past[] = NOTHING;

  constructor(plan: TypePlan, object: ManagedObject, viewer: Viewer, version: number) {
    this.plan = plan;
    this.object = object;
    this.values = viewer.readAll(object, plan.paths);
    this.enteredAt = version;
    this.knownSince = version;
  }

  /** It comes back after having left. */
  enter(object: ManagedObject, viewer: Viewer, version: number): void {
    this.object = object;
    this.values = viewer.readAll(object, this.plan.paths);
    this.enteredAt = version;
    this.leftAt = undefined;
    this.#past = NOTHING;
  }

  leave(version: number): void {
    this.leftAt = version;
    this.values = [];
    this.#past = NOTHING;
  }

  /** Reads the paths below these top-level properties again (all of them when undefined); whether any value differs. */
  update(viewer: Viewer, properties: readonly string[] | undefined, version: number): boolean {
    let hasChanged = false;
    this.plan.paths.forEach((path, index) => {
      if (properties !== undefined && !properties.includes(path.property)) return;
      const before = this.values[index];
      const after = viewer.read(this.object, path);
      if (isSameReading(before, after)) return;
      this.#past = [...this.#past, { version, index, before }];
      this.values[index] = after;
      hasChanged = true;
    });
    return hasChanged;
  }

  /** Grows while a client does not ask: then `prune` is due now and then. */
  get hasLongPast(): boolean {
    const { length } = this.#past;
    return length >= LONG_PAST && (length & (length - 1)) === 0;
  }

  /** Keeps of the past what clients at these versions, oldest first, would be told. */
  prune(positions: readonly number[]): void {
    const previous = new Map<number, number>();
    this.#past = this.#past.filter(({ version, index }) => {
      const from = previous.get(index) ?? 0;
      previous.set(index, version);
      // Whoever asks from before the former change of the same value is told that one's.
      return positions.some((position) => from <= position && position < version);
    });
  }

  /** Whether a client of this version has it in its copy (or may have) although it is gone. */
  isLeftover(since: number): boolean {
    return this.leftAt !== undefined && this.knownSince <= since && since < this.leftAt;
  }

  /** Who asks from versions with the same first change behind them is told the same. */
  firstChangeAfter(since: number): number | undefined {
    return this.#past.find(({ version }) => version > since)?.version;
  }

  /** Of the latest change; undefined when there was none that is known. */
  get lastChangeAt(): number | undefined {
    return this.#past.at(-1)?.version;
  }

  /** The paths that read differently than at a version at which it was reported already. */
  changedSince(since: number): ChangedPath[] {
    const first = new Map<number, unknown>();
    for (const past of this.#past) {
      if (past.version > since && !first.has(past.index)) first.set(past.index, past.before);
    }
    return [...first]
      .map(([index, before]) => ({ index, before, after: this.values[index] }))
      .filter(({ before, after }) => !isSameReading(before, after));
  }

  /** Forgets what only clients of this version or older ones would ask for. */
  forget(version: number): void {
    if (this.#past.length > 0) this.#past = this.#past.filter((past) => past.version > version);
  }
}

function isSameReading(before: unknown, after: unknown): boolean {
  if (before === after) return true;
  if (before instanceof Missing && after instanceof Missing)
    return isDeepStrictEqual(before.fault.fault, after.fault.fault);
  return isDeepStrictEqual(before, after);
}
