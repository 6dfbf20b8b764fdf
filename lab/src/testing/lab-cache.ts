import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The same cache as the product's: what `viv up` has built the lab need not build again. */
export function labCache(): string {
  const chosen = process.env['VIVARIUM_CACHE'];
  if (chosen) return resolve(chosen);
  return process.getuid?.() === 0
    ? '/var/cache/vivarium'
    : join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'vivarium');
}
