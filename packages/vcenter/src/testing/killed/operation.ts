// For tests: an operation that a kill may interrupt, and what it does to the picture.
import { type Picture, sorted, type World } from './picture.ts';

export interface Operation {
  readonly text: string;
  /** It is several operations to the store and to hosts: killed, each of them is done or not. Default: it is one. */
  readonly isOfSteps?: boolean;
  run(world: World): Promise<unknown>;
  after(before: Picture): Picture;
}

export interface Draw {
  /** 0 … count - 1. */
  below(count: number): number;
  /** One of the names of this kind that there are, or undefined: 'vm' → 'v3'. */
  one(kind: string): string | undefined;
  /** A fact of the picture. */
  fact<T>(key: string): T;
  readonly picture: Picture;
  /** Names of this kind. */
  all(kind: string): string[];
  /** Of what this operation makes. */
  readonly count: number;
}

export interface Kind {
  /** The methods that it calls, as `Type.Method`, and no others. */
  readonly calls: readonly string[];
  /** Undefined: not possible now. */
  readonly draw: (draw: Draw) => Operation | undefined;
}

/** `calls`: with blanks between them. */
export function kind(calls: string, draw: Kind['draw']): Kind {
  return { calls: calls.split(' ').filter((call) => call !== ''), draw };
}

export function put(before: Picture, facts: Picture): Picture {
  return sorted({ ...before, ...facts });
}

/** Without what `isGone` says of keys. */
export function without(before: Picture, isGone: (key: string) => boolean): Picture {
  return Object.fromEntries(Object.entries(before).filter(([key]) => !isGone(key)));
}

/** Whatever is of, or on, something that is gone. */
export const isAbout = (name: string) => (key: string) => key.split(' ').includes(name);

export function change(before: Picture, key: string, changes: object): Picture {
  return key in before ? put(before, { [key]: { ...(before[key] as object), ...changes } }) : before;
}

/** What was called `former` is called `name` now, wherever that stands. */
export function renamed(before: Picture, former: string, name: string): Picture {
  const word = (one: string) => (one === former ? name : one);
  const value = (one: unknown) => (typeof one === 'string' ? word(one) : one);
  const fact = (one: unknown): unknown =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).map(([key, part]) => [key, value(part)]))
      : value(one);
  return sorted(
    Object.fromEntries(Object.entries(before).map(([key, one]) => [key.split(' ').map(word).join(' '), fact(one)])),
  );
}
