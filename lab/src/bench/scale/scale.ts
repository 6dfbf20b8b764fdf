// From a thousand VMs to vSphere's maximum of 45,000 on 2,500 hosts: what a start, a full read and a change cost, and whether that
// grows with what there is, or faster. Costs are processor time of the simulator: the same on a busy machine.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measureFanOut } from '../fan-out/measure-fan-out.ts';
import { type Benchmark, boundedFigure, type Figure } from '../figure.ts';
import { type Line, lineCharts, type Point } from '../plot/line-charts.ts';
import { retrieval, SoapSession, viewOfVms } from '../simulator/session.ts';
import { startSimulator } from '../simulator/start-simulator.ts';

/** 18 VMs a host. */
const SIZES = [
  { clusters: 1, hosts: 56, vms: 1000 },
  { clusters: 5, hosts: 56, vms: 1000 },
  { clusters: 15, hosts: 56, vms: 1000 },
  { clusters: 25, hosts: 100, vms: 1800 },
] as const;

const EVERYDAY = ['name', 'summary', 'config', 'runtime'];
const WARM_READS = 3;
const FAN_OUT = {
  kind: 'configuration',
  sessions: 50,
  changesPerSecond: 100,
  warmUpSeconds: 5,
  measuredSeconds: 10,
} as const;
const MOST_MB = 4096;

interface Size {
  readonly vms: number;
  readonly startSeconds: number;
  readonly startProcessorSeconds: number;
  readonly residentMB: number;
  readonly peakMB: number;
  /** The first read, when nothing is encoded, and those after it. */
  readonly coldRead: Read;
  readonly warmRead: Read;
  readonly p99Ms: number;
  /** A change that 50 sessions hear of. */
  readonly changeProcessorMs: number;
}

interface Read {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly firstByteMs: number;
}

type Report = (figure: Figure) => void;

export const scale: Benchmark = {
  name: 'scale',
  about: 'viv sim from 1,000 to 45,000 VMs on 2,500 hosts: start, memory, full read, changes, and how they grow',
  async run(report, { say, plots, vms: most = Number.POSITIVE_INFINITY }) {
    const sizes: Size[] = [];
    for (const size of SIZES) {
      if (size.clusters * size.vms > most) continue;
      sizes.push(await measure(size, say));
    }
    reportLargest(report, sizes);
    reportGrowth(report, sizes);
    if (plots !== undefined) await writeFile(join(plots, 'scale.svg'), draw(sizes));
  },
};

async function measure({ clusters, hosts, vms }: (typeof SIZES)[number], say: (text: string) => void): Promise<Size> {
  say(`viv sim starts with ${clusters * hosts} hosts, ${clusters * vms} VMs`);
  const counts = { '-standalone-host': 0, '-cluster': clusters, '-host': hosts, '-vm': vms };
  await using simulator = await startSimulator(
    Object.entries(counts).flatMap(([name, count]) => [name, String(count)]),
  );
  const residentMB = await simulator.residentMB();
  const { session, view } = await openView(simulator.address);
  using _session = session;
  say('everything is read');
  const read = async (): Promise<Read> => {
    const before = await simulator.processorSeconds();
    const { lastByteMs, firstByteMs } = await session.send(retrieval(view, EVERYDAY), { keepsBody: false });
    return {
      seconds: lastByteMs / 1000,
      processorSeconds: (await simulator.processorSeconds()) - before,
      firstByteMs,
    };
  };
  const coldRead = await read();
  const warm: Read[] = [];
  for (let count = 0; count < WARM_READS; count++) warm.push(await read());
  const changes = await measureFanOut(simulator, FAN_OUT, say);
  return {
    vms: clusters * vms,
    startSeconds: simulator.startSeconds,
    startProcessorSeconds: simulator.startProcessorSeconds,
    residentMB,
    peakMB: await simulator.peakMB(),
    coldRead,
    warmRead: warm.toSorted((one, other) => one.processorSeconds - other.processorSeconds)[WARM_READS >> 1] ?? coldRead,
    p99Ms: changes.p99,
    changeProcessorMs: (1000 * changes.serverProcessorSeconds) / changes.changes,
  };
}

async function openView(address: Parameters<typeof SoapSession.open>[0]) {
  const session = await SoapSession.open(address);
  return { session, view: await viewOfVms(session) };
}

function reportLargest(report: Report, sizes: readonly Size[]): void {
  const largest = sizes.at(-1);
  if (!largest) throw new Error('no size is so small');
  const stated = (name: string, unit: string, value: number): void =>
    report({ name: `scale.${largest.vms}.${name}`, value, unit, aim: 'stated', met: undefined, runs: [value] });
  stated('start', 's', largest.startSeconds);
  stated('start-cpu', 's', largest.startProcessorSeconds);
  stated('memory-at-start', 'MB', largest.residentMB);
  const { peakMB, coldRead, warmRead, p99Ms } = largest;
  report(boundedFigure(`scale.${largest.vms}.memory-peak`, 'MB', [peakMB], peakMB, MOST_MB));
  stated('read-once', 's', coldRead.seconds);
  stated('read', 's', warmRead.seconds);
  stated('read-first-byte', 'ms', warmRead.firstByteMs);
  report(boundedFigure(`scale.${largest.vms}.update-p99`, 'ms', [p99Ms], p99Ms, 200));
}

const SERIES = {
  'start-cpu': ({ startProcessorSeconds }: Size) => startProcessorSeconds,
  memory: ({ residentMB }: Size) => residentMB,
  'read-once-cpu': ({ coldRead }: Size) => coldRead.processorSeconds,
  'read-cpu': ({ warmRead }: Size) => warmRead.processorSeconds,
} as const;

function reportGrowth(report: Report, sizes: readonly Size[]): void {
  const [smallest, largest, middle] = [sizes[0], sizes.at(-1), sizes.at(-2)];
  if (!smallest || !largest || !middle || sizes.length < 3) return;
  for (const [name, of] of Object.entries(SERIES)) {
    const whole = of(largest) / largest.vms / (of(smallest) / smallest.vms);
    const runs = sizes.map(of);
    report(boundedFigure(`scale.${name}.per-vm`, 'x', runs, whole, 1.2));
    // The same without what is there at any size.
    const late = (of(largest) - of(middle)) / (largest.vms - middle.vms);
    const early = (of(middle) - of(smallest)) / (middle.vms - smallest.vms);
    report(boundedFigure(`scale.${name}.per-vm-more`, 'x', runs, late / early, 1.2));
  }
  const change = largest.changeProcessorMs / smallest.changeProcessorMs;
  report(
    boundedFigure(
      'scale.change-cpu.growth',
      'x',
      sizes.map((size) => size.changeProcessorMs),
      change,
      1.2,
    ),
  );
}

function draw(sizes: readonly Size[]): string {
  const line = (label: string, of: (size: Size) => number): Line => ({
    label,
    points: sizes.map((size): Point => [size.vms, of(size)]),
  });
  /** What the first two sizes promise. */
  const linear = (of: (size: Size) => number): Line => {
    const [first, second, largest] = [sizes[0], sizes[1], sizes.at(-1)];
    if (!first || !second || !largest) return { label: 'linear', points: [], isGuide: true };
    const slope = (of(second) - of(first)) / (second.vms - first.vms);
    const at = (vms: number): Point => [vms, Math.max(0, of(first) + slope * (vms - first.vms))];
    return { label: 'as from 1,000 to 5,000', points: [at(0), at(largest.vms)], isGuide: true };
  };
  const { 'start-cpu': start, memory, 'read-once-cpu': cold, 'read-cpu': warm } = SERIES;
  return lineCharts(
    [
      { title: 'Start', unit: 's of processor time', lines: [line('viv sim', start), linear(start)] },
      { title: 'Memory after the start', unit: 'MB', lines: [line('viv sim', memory), linear(memory)] },
      {
        title: 'Full read',
        unit: 's of processor time',
        lines: [line('once', cold), line('again', warm), linear(cold)],
      },
      {
        title: 'A change that 50 sessions hear of',
        unit: 'ms of processor time',
        lines: [line('viv sim', (size) => size.changeProcessorMs)],
      },
    ],
    'virtual machines',
  );
}
