// Methods of single entities that somebody has disabled (AuthorizationManager.DisableMethods): in the store, until the same source
// enables them again or the entity has gone.
import { Mutex } from '@vivarium/base';
import type { Op, Store } from '@vivarium/store';
import { MethodFault, type MoRef, moRef, moRefKey } from '@vivarium/vim';

const PREFIX = 'disabledMethod/';
/** vSphere names no limit; everything has one here. */
const MOST_SOURCES = 100;

/** By method: who has disabled it, and why (an id of the source's own). */
type Blocks = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface MethodToDisable {
  readonly method: string;
  readonly reasonId: string;
}

export class MethodBlocks {
  readonly #store: Store;
  readonly #isThere: (entity: MoRef) => boolean;
  /** By the key of the entity's reference. */
  readonly #blocks: Map<string, Blocks>;
  readonly #mutex = new Mutex();

  /** `isThere`: whether there still is this entity; what was disabled of others is forgotten in time. */
  constructor(store: Store, isThere: (entity: MoRef) => boolean) {
    this.#store = store;
    this.#isThere = isThere;
    this.#blocks = new Map(store.range<Blocks>(PREFIX).map(({ key, value }) => [key.slice(PREFIX.length), value]));
  }

  of(entity: MoRef): readonly string[] {
    return this.#blocks.size === 0 ? [] : Object.keys(this.#blocks.get(moRefKey(entity)) ?? {});
  }

  /** Fault: MethodDisabled. */
  check(entity: MoRef, method: string): void {
    if (this.#blocks.size === 0) return;
    const [source] = Object.keys(this.#blocks.get(moRefKey(entity))?.[method] ?? {});
    if (source !== undefined) throw new MethodFault('MethodDisabled', { source });
  }

  /** Fault: LimitExceeded. */
  disable(entities: readonly MoRef[], methods: readonly MethodToDisable[], source: string): Promise<void> {
    return this.#change(entities, (blocks) => {
      const after: Record<string, Readonly<Record<string, string>>> = { ...blocks };
      for (const { method, reasonId } of methods) {
        const sources = { ...after[method], [source]: reasonId };
        if (Object.keys(sources).length > MOST_SOURCES) {
          throw new MethodFault('LimitExceeded', { property: 'sourceId', limit: MOST_SOURCES });
        }
        after[method] = sources;
      }
      return after;
    });
  }

  /** What other sources have disabled stays so. */
  enable(entities: readonly MoRef[], methods: readonly string[], source: string): Promise<void> {
    return this.#change(entities, (blocks) =>
      Object.fromEntries(
        Object.entries(blocks).flatMap(([method, sources]) => {
          if (!methods.includes(method)) return [[method, sources]];
          const { [source]: _ended, ...others } = sources;
          return Object.keys(others).length > 0 ? [[method, others]] : [];
        }),
      ),
    );
  }

  /** Forgets what was disabled of entities that are no longer there. */
  sweep(): Promise<void> {
    return this.#change([], (blocks) => blocks);
  }

  #change(entities: readonly MoRef[], work: (blocks: Blocks) => Blocks): Promise<void> {
    return this.#mutex.run(async () => {
      const after = new Map(entities.map((ref) => [moRefKey(ref), work(this.#blocks.get(moRefKey(ref)) ?? {})]));
      for (const key of this.#blocks.keys()) if (!this.#isThere(refOfKey(key))) after.set(key, {});
      if (after.size === 0) return;
      const isLeft = (blocks: Blocks) => Object.keys(blocks).length > 0;
      await this.#store.batch(
        [...after].map(
          ([key, blocks]): Op => (isLeft(blocks) ? { put: PREFIX + key, value: blocks } : { delete: PREFIX + key }),
        ),
      );
      for (const [key, blocks] of after) {
        if (isLeft(blocks)) this.#blocks.set(key, blocks);
        else this.#blocks.delete(key);
      }
    });
  }
}

function refOfKey(key: string): MoRef {
  const colon = key.indexOf(':');
  return moRef(key.slice(0, colon) as 'VirtualMachine', key.slice(colon + 1));
}
