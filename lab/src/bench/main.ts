// Runs benchmarks one after the other on an otherwise quiet machine. Names as arguments choose; --json prints an object a figure;
// --plots FOLDER draws, --vms N makes simulators smaller.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { ensureDemoGuest } from '@vivarium/guests';
import { ensureRuntime } from '@vivarium/qemu';
import { labCache } from '../testing/lab-cache.ts';
import { fanOut } from './fan-out/fan-out.ts';
import type { Benchmark, Figure } from './figure.ts';
import { idleHost } from './idle-host.ts';
import { placement } from './placement.ts';
import { poolDivision } from './pool-division.ts';
import { powerOn } from './power-on.ts';
import { propertyReads } from './property-reads.ts';
import { scale } from './scale/scale.ts';
import { simulator } from './simulator/simulator.ts';
import { soapRequests } from './soap-requests.ts';
import { storeBenchmark } from './store.ts';
import { takeover } from './takeover/takeover.ts';
import { updateLatency } from './update-latency.ts';

const benchmarks: readonly Benchmark[] = [
  powerOn,
  idleHost,
  soapRequests,
  propertyReads,
  updateLatency,
  placement,
  poolDivision,
  storeBenchmark,
  takeover,
  simulator,
  fanOut,
  scale,
];

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    plots: { type: 'string' },
    vms: { type: 'string' },
  },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  console.error(`no benchmark is named ${unknown.join(', ')}; there are:`);
  for (const { name, about } of benchmarks) console.error(`  ${name.padEnd(16)} ${about}`);
  process.exit(2);
}

const common = { cacheDir: labCache(), clock: systemClock, log: silentLogger };
await ensureRuntime(common);
await ensureDemoGuest(common);
if (!values.json)
  console.log(`${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}, ${new Date().toISOString().slice(0, 10)}\n`);
for (const benchmark of benchmarks) {
  if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue;
  if (!values.json) console.log(`${benchmark.name}: ${benchmark.about}`);
  await benchmark.run((figure) => console.log(values.json ? JSON.stringify(figure) : line(figure)), {
    say: (text) => console.error(`    ${new Date().toTimeString().slice(0, 8)} ${text}`),
    plots: values.plots,
    vms: values.vms === undefined ? undefined : Number(values.vms),
  });
}

function line({ name, value, unit, baseline, ratio, aim, met }: Figure): string {
  const beside = baseline === undefined ? '' : `, bare ${round(baseline)} ${unit}, ratio ${ratio?.toFixed(2)}`;
  return `  ${met === undefined ? '--  ' : met ? 'ok  ' : 'MISS'} ${name}: ${round(value)} ${unit}${beside} (aim ${aim})`;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
