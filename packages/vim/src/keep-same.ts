// Data that was worked out anew and is mostly what it was: what has not changed keeps its identity, so that whoever compares, maps
// or keeps it sees at once that nothing happened. Pure.

/**
 * `value`, with each part that equals the one in its place in `former` replaced by that very one; `former` itself when all is
 * equal. For data as JSON has it; anything else (bytes, dates) is taken as it comes.
 */
export function keepSame<T>(former: unknown, value: T): T {
  return keep(former, value) as T;
}

function keep(former: unknown, value: unknown): unknown {
  if (former === value || !isObject(former) || !isObject(value)) return value;
  if (Array.isArray(value)) return Array.isArray(former) ? keepItems(former, value) : value;
  return isPlain(former) && isPlain(value) ? keepFields(former, value) : value;
}

function keepItems(former: readonly unknown[], items: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  let isSame = former.length === items.length;
  for (let index = 0; index < items.length; index++) {
    const kept = keep(former[index], items[index]);
    if (!Object.is(kept, former[index])) isSame = false;
    if (kept !== items[index]) (copy ??= [...items])[index] = kept;
  }
  return isSame ? former : (copy ?? items);
}

function keepFields(former: Fields, fields: Fields): Fields {
  let copy: Record<string, unknown> | undefined;
  let isSame = true;
  let left = 0;
  for (const _name in former) left += 1;
  for (const name in fields) {
    left -= 1;
    const kept = keep(former[name], fields[name]);
    // What is set to undefined is not what is not set.
    if (!Object.is(kept, former[name]) || (kept === undefined && !Object.hasOwn(former, name))) isSame = false;
    if (kept !== fields[name]) (copy ??= { ...fields })[name] = kept;
  }
  return isSame && left === 0 ? former : (copy ?? fields);
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isPlain(value: object): value is Fields {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
