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
  /** Names of this kind. */
  all(kind: string): string[];
  /** Of what this operation makes. */
  readonly count: number;
}

/** Undefined: not possible now. */
export type Kind = (draw: Draw) => Operation | undefined;

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

/** The names under `former` are under `name` now, wherever they stand. */
export function renamed(before: Picture, former: string, name: string): Picture {
  const isIt = isAbout(former);
  return sorted(
    Object.fromEntries(
      Object.entries(before).map(([key, value]) => [
        isIt(key)
          ? key
              .split(' ')
              .map((word) => (word === former ? name : word))
              .join(' ')
          : key,
        value,
      ]),
    ),
  );
}
