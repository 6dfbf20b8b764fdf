// For tests: a client that keeps a copy of what its filters report, as the documentation tells clients to do.
import assert from 'node:assert/strict';
import { type ObjectUpdate, type PropertyChange, parsePropertyPath, type UpdateSet, unbox } from '@vivarium/vim';

/** What a client knows of one object: requested path -> value, and the paths it was told are missing -> fault type. */
export interface ObjectCopy {
  readonly values: Record<string, unknown>;
  readonly missing: Record<string, string>;
}

type Target = Record<string, unknown> | unknown[];

/**
 * Sets, adds or removes what a path names in a tree of data objects; containers must be there. `isRedundant` allows what
 * was told in another form already.
 */
export function applyDelta(
  root: Record<string, unknown>,
  change: { name: string; op: string; value: unknown },
  isRedundant = false,
): void {
  const steps = parsePropertyPath(change.name).flatMap(({ name, key }): (string | { key: unknown })[] =>
    key === undefined ? [name] : [name, { key }],
  );
  const last = steps.pop();
  let target: Target = root;
  for (const step of steps) {
    const next: unknown =
      typeof step === 'string' ? (target as Record<string, unknown>)[step] : elementOf(target, step.key);
    if (next === undefined && isRedundant) return;
    assert.ok(typeof next === 'object' && next !== null, `${change.name}: nothing at ${JSON.stringify(step)}`);
    target = next as Target;
  }
  if (typeof last === 'object') applyToElement(target, last.key, change, isRedundant);
  else if (last !== undefined && change.value === undefined) delete (target as Record<string, unknown>)[last];
  else if (last !== undefined) (target as Record<string, unknown>)[last] = structuredClone(change.value);
}

function elementOf(target: Target, key: unknown): unknown {
  assert.ok(Array.isArray(target));
  return target.find((item) => (item as { key: unknown }).key === key);
}

function applyToElement(
  target: Target,
  key: unknown,
  change: { op: string; value: unknown },
  isRedundant: boolean,
): void {
  assert.ok(Array.isArray(target));
  const index = target.findIndex((item) => (item as { key: unknown }).key === key);
  assert.ok(
    isRedundant || index >= 0 === (change.op !== 'add'),
    `${change.op} of an element that is there: ${index >= 0}`,
  );
  if (change.value === undefined) target.splice(index, index < 0 ? 0 : 1);
  else if (index < 0) target.push(structuredClone(change.value));
  else target[index] = structuredClone(change.value);
}

/** Everything that a session's filters report: filter id -> object id -> copy. */
export class TestClient {
  version = '';
  readonly filters = new Map<string, Map<string, ObjectCopy>>();
  readonly #paths: (filter: string, type: string) => readonly string[];

  /** `paths`: what a filter asked for of objects of a type. */
  constructor(paths: (filter: string, type: string) => readonly string[]) {
    this.#paths = paths;
  }

  /** Takes an answer over. */
  apply(set: UpdateSet | undefined): void {
    if (!set) return;
    if (this.version === '') this.filters.clear();
    for (const { filter, objectSet = [] } of set.filterSet ?? []) {
      let objects = this.filters.get(filter.value);
      if (!objects) this.filters.set(filter.value, (objects = new Map()));
      for (const update of objectSet) applyUpdate(objects, update, this.#paths(filter.value, update.obj.type));
    }
    this.version = set.version;
  }
}

function applyUpdate(objects: Map<string, ObjectCopy>, update: ObjectUpdate, paths: readonly string[]): void {
  const id = `${update.obj.type}:${update.obj.value}`;
  if (update.kind === 'leave') {
    objects.delete(id);
    return;
  }
  const known = objects.get(id);
  assert.ok(update.kind === 'enter' || known, `${id} is modified but never entered`);
  const copy: ObjectCopy = { values: {}, missing: {} };
  if (known && update.kind === 'modify') {
    Object.assign(copy.values, known.values);
    Object.assign(copy.missing, known.missing);
  }
  objects.set(id, copy);
  for (const { path, fault } of update.missingSet ?? []) {
    delete copy.values[path];
    copy.missing[path] = String((fault.fault as { _typeName?: string })._typeName);
  }
  for (const change of update.changeSet ?? []) applyChange(copy, change, paths);
}

/** A change concerns the requested path of its name, and what is nested concerns every requested path that contains it. */
function applyChange(copy: ObjectCopy, change: PropertyChange, paths: readonly string[]): void {
  const value = unbox(change.val);
  for (const path of new Set(paths)) {
    const rest = change.name.slice(path.length);
    if (path === change.name) {
      delete copy.missing[path];
      if (value === undefined) delete copy.values[path];
      else copy.values[path] = value;
    } else if (change.name.startsWith(path) && /^[.[]/.test(rest) && copy.values[path] !== undefined) {
      const root = { value: structuredClone(copy.values[path]) };
      applyDelta(root, { name: `value${rest}`, op: change.op, value }, paths.length > 1);
      copy.values[path] = root.value;
    }
  }
}
