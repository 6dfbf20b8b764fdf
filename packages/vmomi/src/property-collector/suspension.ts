// An update set that is handed out in parts (maxObjectUpdates). The parts carry truncated versions, 'N.1', 'N.2' …,
// that only lead to the next part; the last part carries the version N. What is told is what held at N.
import type { PropertyFilterUpdate, UpdateSet } from '@vivarium/vim';

export class Suspension {
  readonly #version: string;
  #rest: readonly PropertyFilterUpdate[];
  #parts = 0;
  /** The last part, in case its client did not get it and asks again. */
  #last: { readonly asked: string; readonly answer: UpdateSet } | undefined;

  constructor(version: string, filterSet: readonly PropertyFilterUpdate[]) {
    this.#version = version;
    this.#rest = filterSet;
  }

  /** The part that this truncated version asks for; undefined when it is not one of this suspension. */
  resume(version: string, maxObjectUpdates: number | undefined): UpdateSet | undefined {
    if (this.#last?.asked === version) return this.#last.answer;
    if (this.#rest.length === 0 || version !== this.#token()) return undefined;
    const answer = this.next(maxObjectUpdates ?? Number.POSITIVE_INFINITY);
    this.#last = { asked: version, answer };
    return answer;
  }

  next(maxObjectUpdates: number): UpdateSet {
    const part: PropertyFilterUpdate[] = [];
    let room = maxObjectUpdates;
    while (room > 0 && this.#rest.length > 0) {
      const [first, ...others] = this.#rest;
      if (!first) break;
      const objects = first.objectSet ?? [];
      if (objects.length <= room) {
        part.push(first);
        this.#rest = others;
      } else {
        // What is missing is told once, with the first part of the filter.
        const { missingSet: _, ...bare } = first;
        part.push({ ...first, objectSet: objects.slice(0, room) });
        this.#rest = [{ ...bare, objectSet: objects.slice(room) }, ...others];
      }
      room -= objects.length;
    }
    if (this.#rest.length === 0) return { version: this.#version, filterSet: part };
    this.#parts += 1;
    return { version: this.#token(), filterSet: part, truncated: true };
  }

  #token(): string {
    return `${this.#version}.${this.#parts}`;
  }
}
