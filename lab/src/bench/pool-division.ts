// The division of a cluster's pools among its hosts, in vSphere's largest cluster: all at once, one VM more, and a day of demand.
//
// The day is a trace of PlanetLab (github.com/beloglazov/planetlab-workload-traces): a line a VM, 288 percentages, one every five
// minutes. VIVARIUM_PLANETLAB names the file; without it that part is not run.
import { readFileSync } from 'node:fs';
import { env } from 'node:process';
import { type DividedPool, type DividedVm, PoolDivision } from '@vivarium/drs';
import { type Benchmark, boundedFigure, median } from './figure.ts';

const HOSTS = 96;
const VMS = 8_000;
const POOLS = 100;
const CAPACITY = { cpuMhz: 64 * 2_500, memoryMB: 1_048_576 };
const VM_MHZ = 2 * 2_500;

export const poolDivision: Benchmark = {
  name: 'pool-division',
  about: `the pools of a cluster of ${HOSTS} hosts and ${VMS} VMs, divided among the hosts`,
  run(report) {
    const vms = Array.from({ length: VMS }, (_, index) => newVm(index, 20));
    const whole = times(5, () => newDivision(vms));
    report(boundedFigure('pool-division.whole', 'ms', whole, median(whole), 1_000));

    const division = newDivision(vms);
    const touched: number[] = [];
    const powerOn = times(200, (run) => {
      touched.push(division.apply({ vms: { set: [newVm(VMS + run, 20)] } }).length);
    });
    report(boundedFigure('pool-division.power-on', 'ms', powerOn, median(powerOn), 5));
    report(boundedFigure('pool-division.power-on.hosts-told', 'hosts', touched, median(touched), 8));

    const trace = env['VIVARIUM_PLANETLAB'];
    if (trace === undefined) console.log('  pool-division.day: not run, VIVARIUM_PLANETLAB names no trace');
    else replayDay(readTrace(trace), report);
    return Promise.resolve();
  },
};

function replayDay(trace: readonly (readonly number[])[], report: Parameters<Benchmark['run']>[0]): void {
  const loadAt = (vm: number, step: number) => trace[vm % trace.length]?.[step] ?? 0;
  const vmsAt = (step: number) => Array.from({ length: VMS }, (_, index) => newVm(index, loadAt(index, step)));
  const division = newDivision(vmsAt(0));
  const told: number[] = [];
  const steps = times((trace[0]?.length ?? 1) - 1, (run) => {
    told.push(division.apply({ vms: { set: vmsAt(run + 1) } }).reduce((sum, { set }) => sum + set.length, 0));
  });
  report(boundedFigure('pool-division.day.step', 'ms', steps, median(steps), 100));
  const all = POOLS * HOSTS;
  const percent = told.map((count) => (100 * count) / all);
  report(boundedFigure('pool-division.day.pools-told', '%', percent, median(percent), 25));
}

function readTrace(path: string): number[][] {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  return lines.map((line) => line.split(',').map(Number));
}

/** Ten pools with nine below each; one in three has a limit, one in three a reservation. */
function newDivision(vms: readonly DividedVm[]): PoolDivision {
  const division = new PoolDivision('root');
  division.apply({
    hosts: { set: Array.from({ length: HOSTS }, (_, index) => ({ host: `host-${index}`, capacity: CAPACITY })) },
    pools: { set: Array.from({ length: POOLS }, (_, index) => newPool(index)) },
    vms: { set: vms },
  });
  return division;
}

function newPool(index: number): DividedPool {
  const isTop = index < 10;
  const size = isTop ? 10 : 1;
  const allocation = (unit: number) => ({
    reservation: index % 3 === 1 ? size * 10 * unit : 0,
    isExpandable: true,
    limit: index % 3 === 0 ? size * 80 * unit : Infinity,
    shares: 4_000,
  });
  return {
    pool: `pool-${index}`,
    parent: isTop ? 'root' : `pool-${index % 10}`,
    cpu: allocation(1_000),
    memory: allocation(4_096),
  };
}

function newVm(index: number, percent: number): DividedVm {
  return {
    vm: `vm-${index}`,
    pool: `pool-${10 + (index % (POOLS - 10))}`,
    host: `host-${(index * 7) % HOSTS}`,
    cpu: { reservation: 0, limit: Infinity, shares: 2_000, demand: (percent * VM_MHZ) / 100 },
    memory: { reservation: 64, limit: Infinity, shares: 40_960, demand: 4_096 },
  };
}

/** Milliseconds of processor time of each run. */
function times(runs: number, run: (index: number) => void): number[] {
  return Array.from({ length: runs }, (_, index) => {
    const started = process.cpuUsage();
    run(index);
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1_000;
  });
}
