// How busy a simulated VM is at a moment: a day's wave, a wave of its own, and some noise, around a twentieth of its processors.
// A function of who and when, so that any moment can be asked for at any time and nothing has to be remembered. Pure.

const DAY_S = 86_400;
/** The share of its processors that a VM uses on average. */
export const AVERAGE_LOAD = 1 / 20;

/** Share of its processors that the VM of this seed uses, averaged over `periodS` before `timeMs`; between 0 and 4 × the average. */
export function loadAt(seed: number, timeMs: number, periodS: number): number {
  const seconds = timeMs / 1000 - periodS / 2;
  const day = Math.sin((seconds / DAY_S) * 2 * Math.PI + hash(seed) * 2 * Math.PI);
  const own = Math.sin((seconds / (1800 + 3600 * hash(seed + 1))) * 2 * Math.PI);
  // Noise averages out: what jumps from sample to sample is gone in five minutes.
  const noise = (hash(seed * 31 + Math.floor(timeMs / 1000 / periodS)) - 0.5) * Math.min(1, Math.sqrt(20 / periodS));
  return AVERAGE_LOAD * Math.max(0, 1 + 0.5 * day + 0.25 * own + 0.5 * noise);
}

/** A number between 0 and 1 that looks random; equal for equal seeds. */
export function hash(seed: number): number {
  // splitmix32
  let mixed = (Math.trunc(seed) + 0x9e3779b9) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}
