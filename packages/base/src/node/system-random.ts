import { randomBytes } from 'node:crypto';
import type { Random } from '../random.ts';

/** The kernel's random source. */
export const systemRandom: Random = { bytes: (count) => randomBytes(count) };
