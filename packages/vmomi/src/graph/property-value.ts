// Reading and replacing values along property paths. Pure; never mutates what it is given.

const SEGMENT = /([A-Za-z_]\w*)((?:\[(?:"[^"]*"|[^\]"]*)\])*)(?:\.|$)/y;
const PLAIN_NAME = /^\w+$/;

/** `root.a.b[key].c` of nested data objects; undefined as soon as something on the way is unset. */
export function readPath(root: unknown, path: string): unknown {
  let value = root;
  if (PLAIN_NAME.test(path)) return member(root, path);
  SEGMENT.lastIndex = 0;
  while (SEGMENT.lastIndex < path.length) {
    const match = SEGMENT.exec(path);
    if (!match) return undefined;
    value = member(value, match[1] ?? '');
    for (const [, quoted, bare] of (match[2] ?? '').matchAll(/\[(?:"([^"]*)"|([^\]]*))\]/g)) {
      value = element(value, quoted ?? bare ?? '');
    }
    if (value === undefined) return undefined;
  }
  return value;
}

/** The array element with this key: its `key` property, a moref's value, or the item itself. */
export function element(array: unknown, key: string): unknown {
  if (!Array.isArray(array)) return undefined;
  return array.find((item: unknown) => elementKey(item) === key);
}

/** How an array's element is named in a property path; undefined when it has no key. */
export function elementKey(item: unknown): string | undefined {
  if (typeof item === 'string' || typeof item === 'number') return String(item);
  const key = member(item, 'key');
  if (typeof key === 'string' || typeof key === 'number') return String(key);
  const ref = member(item, 'value');
  return typeof ref === 'string' && typeof member(item, 'type') === 'string' ? ref : undefined;
}

/** `value` with `names` replaced below it: copies along the way. Setting below something unset is a mistake of the caller. */
export function withPath(value: unknown, names: readonly string[], leaf: unknown): unknown {
  const [name, ...rest] = names;
  if (name === undefined) return leaf;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`cannot set '${names.join('.')}' below a value that is not a data object`);
  }
  const next = withPath(member(value, name), rest, leaf);
  const copy: Record<string, unknown> = { ...value };
  if (next === undefined) delete copy[name];
  else copy[name] = next;
  return copy;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
