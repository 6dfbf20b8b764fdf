// Memory that the guest gives back, and what it says of its memory.
import { BALLOON_ID } from '../machine/fixed-devices.ts';
import { qomGet, qomSet } from './devices.ts';
import type { Qmp } from './monitor.ts';
import { findNumber, readNumber, readObject, readPart } from './read.ts';

const BALLOON_PATH = `/machine/peripheral/${BALLOON_ID}`;

/** Bytes that the balloon leaves to the guest. Rejects when the guest has no balloon driver running. */
export async function queryBalloon(monitor: Qmp): Promise<number> {
  return readNumber(readObject(await monitor.execute('query-balloon')), 'actual');
}

/** Asks the guest to keep `bytes` of its memory and give back the rest; it does so as its driver can, now or when that starts. */
export async function setBalloon(monitor: Qmp, bytes: number): Promise<void> {
  await monitor.execute('balloon', { value: bytes });
}

/** Makes the guest report its memory every `seconds` (0 = never). */
export async function setGuestStatisticsInterval(monitor: Qmp, seconds: number): Promise<void> {
  await qomSet(monitor, BALLOON_PATH, 'guest-stats-polling-interval', seconds);
}

/** Bytes, except faults, which count from the guest's start. What the guest does not say is `undefined`. */
export interface GuestMemory {
  /** Seconds since the epoch, by the host's clock; 0 = the guest has not reported yet. */
  readonly reportedAt: number;
  readonly totalBytes: number | undefined;
  readonly freeBytes: number | undefined;
  readonly availableBytes: number | undefined;
  readonly cacheBytes: number | undefined;
  readonly swappedInBytes: number | undefined;
  readonly swappedOutBytes: number | undefined;
  readonly majorFaults: number | undefined;
}

export async function queryGuestMemory(monitor: Qmp): Promise<GuestMemory> {
  const reply = readObject(await qomGet(monitor, BALLOON_PATH, 'guest-stats'));
  const stats = readPart(reply, 'stats');
  // The guest's numbers are 64-bit; what it does not know comes as -1 in that width.
  const known = (name: string) => {
    const value = findNumber(stats, name);
    return value === undefined || value < 0 || value >= 2 ** 63 ? undefined : value;
  };
  return {
    reportedAt: findNumber(reply, 'last-update') ?? 0,
    totalBytes: known('stat-total-memory'),
    freeBytes: known('stat-free-memory'),
    availableBytes: known('stat-available-memory'),
    cacheBytes: known('stat-disk-caches'),
    swappedInBytes: known('stat-swap-in'),
    swappedOutBytes: known('stat-swap-out'),
    majorFaults: known('stat-major-faults'),
  };
}
