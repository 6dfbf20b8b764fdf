// Gives back to the system what bursts of work leave behind: V8 keeps pages for garbage to come, and the C library keeps what
// was freed between blocks that are in use. Both would otherwise stay for as long as hostd runs, which is mostly idle.
import type { Clock } from '@vivarium/base';
import koffi from 'koffi';

/** A trim takes about 5 ms of processor time. */
const INTERVAL_MS = 60_000;

/** Once all garbage is collected (some 50 ms; needs `--expose-gc`): a start is over. From then on only the C library trims. */
export function keepMemoryTrimmed(clock: Clock): void {
  const mallocTrim = koffi.load('libc.so.6').func('int malloc_trim(size_t pad)');
  const trim = () => {
    mallocTrim(0);
    clock.setTimer(INTERVAL_MS, trim);
  };
  globalThis.gc?.();
  trim();
}
