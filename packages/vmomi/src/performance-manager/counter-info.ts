// Counters as the API describes them. Pure.
import { type ElementDescription, make, type PerfCounterInfo, type PerformanceDescription } from '@vivarium/vim';
import type { Counter } from '../statistics/counters.ts';
import type { CounterLevels } from '../statistics/statistics-settings.ts';

const GROUPS: Readonly<Record<string, string>> = {
  cpu: 'CPU',
  mem: 'Memory',
  disk: 'Disk',
  net: 'Network',
  sys: 'System',
  virtualDisk: 'Virtual disk',
  datastore: 'Datastore',
  vmop: 'Virtual machine operations',
  clusterServices: 'Cluster services',
};

/** Label and name of each unit. */
const UNITS: Readonly<Record<string, readonly [label: string, summary: string]>> = {
  percent: ['%', 'Percentage'],
  kiloBytes: ['KB', 'Kilobyte'],
  megaBytes: ['MB', 'Megabyte'],
  megaHertz: ['MHz', 'Megahertz'],
  number: ['num', 'Number'],
  microsecond: ['µs', 'Microsecond'],
  millisecond: ['ms', 'Millisecond'],
  second: ['s', 'Second'],
  kiloBytesPerSecond: ['KBps', 'Kilobytes per second'],
};

export function counterInfo(counter: Counter, { aggregate, device }: CounterLevels): PerfCounterInfo {
  const group = GROUPS[counter.group] ?? counter.group;
  const [label, summary] = UNITS[counter.unit] ?? [counter.unit, counter.unit];
  return make('PerfCounterInfo', {
    key: counter.key,
    nameInfo: element(counter.item, counter.label, counter.summary),
    groupInfo: element(counter.group, group, group),
    unitInfo: element(counter.unit, label, summary),
    rollupType: counter.rollUp,
    statsType: counter.stats,
    level: aggregate,
    perDeviceLevel: device,
  });
}

/** What the two kinds of types mean in words. */
export const performanceDescription: PerformanceDescription = make('PerformanceDescription', {
  counterType: [
    element('average', 'Average', 'The mean of the figures of the interval'),
    element('maximum', 'Maximum', 'The greatest figure of the interval'),
    element('minimum', 'Minimum', 'The least figure of the interval'),
    element('latest', 'Latest', 'The last figure of the interval'),
    element('summation', 'Summation', 'The sum of the figures of the interval'),
    element('none', 'None', 'Not rolled up'),
  ],
  statsType: [
    element('absolute', 'Absolute', 'A state at the end of the interval'),
    element('delta', 'Delta', 'What happened in the interval'),
    element('rate', 'Rate', 'What happened in the interval, for each second of it'),
  ],
});

function element(key: string, label: string, summary: string): ElementDescription {
  return make('ElementDescription', { key, label, summary });
}
