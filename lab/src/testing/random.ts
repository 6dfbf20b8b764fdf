// Randomness for tests that choose moments: the seed is printed, and VIVARIUM_LAB_SEED replays it.

/** The seed of this run, printed. */
export function labSeed(): number {
  const seed = Number(process.env['VIVARIUM_LAB_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (VIVARIUM_LAB_SEED=${seed} repeats it)`);
  return seed;
}

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
