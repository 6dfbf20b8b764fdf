// For tests: random choices that a seed repeats.
import type { TestContext } from 'node:test';

export interface Draw {
  /** 0 … count - 1. */
  below(count: number): number;
  pick<T>(items: readonly T[]): T;
}

export function seededDraw(seed: number): Draw {
  let state = seed >>> 0;
  const below = (count: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
  return {
    below,
    pick(items) {
      if (items.length === 0) throw new Error('there is nothing to choose from');
      return items[below(items.length)] as (typeof items)[number];
    },
  };
}

/** By the seed in VIVARIUM_SEED, or one of its own; the test says which. */
export function drawFor(context: TestContext): Draw {
  const seed = Number(process.env['VIVARIUM_SEED'] ?? Date.now() % 2 ** 31);
  context.diagnostic(`seed ${seed} (VIVARIUM_SEED=${seed} repeats it)`);
  return seededDraw(seed);
}
