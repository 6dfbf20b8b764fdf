// For tests: a client that keeps a copy of what its filters report, as the documentation tells clients to do.
import assert from 'node:assert/strict';
import { type ObjectUpdate, type PropertyChange, parsePropertyPath, type UpdateSet, unbox } from '@vivarium/vim';

/** What a client knows of one object: requested path -> value, and the paths it was told are missing -> fault type. */
export interface ObjectCopy {
  readonly values: Record<string, unknown>;
  readonly missing: Record<string, string>;
}

type Target = Record<string, unknown> | unknown[];

/** Sets, adds or removes what a path names in a tree of data objects; containers must be there. */
export function applyDelta(root: Record<string, unknown>, change: { name: string; op: string; value: unknown }): void {
  const steps = parsePropertyPath(change.name).flatMap(({ name, key }): (string | { key: unknown })[] =>
    key === undefined ? [name] : [name, { key }],
  );
  const last = steps.pop();
  let target: Target = root;
  for (const step of steps) {
    const next: unknown =
      typeof step === 'string' ? (target as Record<string, unknown>)[step] : elementOf(target, step.key);
    assert.ok(typeof next === 'object' && next !== null, `${change.name}: nothing at ${JSON.stringify(step)}`);
    target = next as Target;
  }
  if (typeof last === 'object') applyToElement(target, last.key, change);
  else if (last !== undefined && change.value === undefined) delete (target as Record<string, unknown>)[last];
  else if (last !== undefined) (target as Record<string, unknown>)[last] = structuredClone(change.value);
}

function elementOf(target: Target, key: unknown): unknown {
  assert.ok(Array.isArray(target));
  return target.find((item) => (item as { key: unknown }).key === key);
}

function applyToElement(target: Target, key: unknown, change: { op: string; value: unknown }): void {
  assert.ok(Array.isArray(target));
  const index = target.findIndex((item) => (item as { key: unknown }).key === key);
  if (change.op === 'remove') {
    assert.ok(index >= 0, 'removed what was not there');
    target.splice(index, 1);
  } else if (change.op === 'add') {
    assert.equal(index, -1, 'added what was there');
    target.push(structuredClone(change.value));
  } else {
    assert.ok(index >= 0, 'assigned to an element that was not there');
    target[index] = structuredClone(change.value);
  }
}

/** Everything that a session's filters report: filter id -> object id -> copy. */
export class TestClient {
  version = '';
  readonly filters = new Map<string, Map<string, ObjectCopy>>();

  /** Takes an answer over. */
  apply(set: UpdateSet | undefined): void {
    if (!set) return;
    if (this.version === '') this.filters.clear();
    for (const { filter, objectSet = [] } of set.filterSet ?? []) {
      let objects = this.filters.get(filter.value);
      if (!objects) this.filters.set(filter.value, (objects = new Map()));
      for (const update of objectSet) applyUpdate(objects, update);
    }
    this.version = set.version;
  }
}

function applyUpdate(objects: Map<string, ObjectCopy>, update: ObjectUpdate): void {
  const id = `${update.obj.type}:${update.obj.value}`;
  if (update.kind === 'leave') {
    objects.delete(id);
    return;
  }
  const known = objects.get(id);
  assert.ok(update.kind === 'enter' || known, `${id} is modified but never entered`);
  const copy = known && update.kind === 'modify' ? known : { values: {}, missing: {} };
  objects.set(id, copy);
  for (const { path, fault } of update.missingSet ?? []) {
    delete copy.values[path];
    copy.missing[path] = String((fault.fault as { _typeName?: string })._typeName);
  }
  for (const change of update.changeSet ?? []) applyChange(copy, change);
}

/** A requested path is a key of its own; a longer one changes something inside the value of the requested path. */
function applyChange(copy: ObjectCopy, change: PropertyChange): void {
  const value = unbox(change.val);
  const requested = Object.keys(copy.values).find(
    (path) => change.name.startsWith(path) && /^[.[]/.test(change.name.slice(path.length)),
  );
  delete copy.missing[change.name];
  if (requested === undefined || Object.hasOwn(copy.values, change.name)) {
    if (value === undefined) delete copy.values[change.name];
    else copy.values[change.name] = value;
    return;
  }
  const root = { value: structuredClone(copy.values[requested]) };
  applyDelta(root, { name: `value${change.name.slice(requested.length)}`, op: change.op, value });
  copy.values[requested] = root.value;
}
