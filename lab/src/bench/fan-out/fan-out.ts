// A thousand clients that follow ten thousand VMs while a hundred changes a second happen.
import { type Benchmark, boundedFigure } from '../figure.ts';
import { startSimulator } from '../simulator/start-simulator.ts';
import { measureFanOut } from './measure-fan-out.ts';

const VMS = 10_000;
const HOSTS = 100;
const PLAN = {
  kind: 'customValue',
  sessions: 1000,
  changesPerSecond: 100,
  warmUpSeconds: 10,
  measuredSeconds: 20,
} as const;

export const fanOut: Benchmark = {
  name: 'fan-out',
  about: `${PLAN.sessions} sessions wait for news of ${VMS} VMs while ${PLAN.changesPerSecond} a second get a new custom value`,
  async run(report, { say, vms = VMS }) {
    say(`viv sim starts with ${vms} VMs`);
    const counts = ['-standalone-host', '0', '-cluster', '1', '-host', String(HOSTS), '-vm', String(vms)];
    await using simulator = await startSimulator(counts);
    const { p50, p99, most, delivered, changes, replies, seconds, ...cost } = await measureFanOut(simulator, PLAN, say);
    const expected = changes * PLAN.sessions;
    report(boundedFigure('fan-out.p99', 'ms', [p99], p99, 200));
    report(boundedFigure('fan-out.p50', 'ms', [p50], p50, 200));
    report(boundedFigure('fan-out.slowest', 'ms', [most], most, 1000));
    const lost = expected - delivered;
    report(boundedFigure('fan-out.lost', `of ${expected} changes`, [lost], lost, 0));
    const rate = changes / seconds;
    report({
      name: 'fan-out.changes',
      value: rate,
      unit: '1/s',
      aim: `${PLAN.changesPerSecond}/s`,
      met: rate > PLAN.changesPerSecond * 0.98,
      runs: [rate],
    });
    const cpu = (100 * cost.serverProcessorSeconds) / seconds;
    report(boundedFigure('fan-out.server-cpu', '% of a core', [cpu], cpu, 100));
    const perReply = (1e6 * cost.serverProcessorSeconds) / replies;
    report({
      name: 'fan-out.server-cpu-per-reply',
      value: perReply,
      unit: 'us',
      aim: 'stated',
      met: undefined,
      runs: [perReply],
    });
    const clientCpu = (100 * cost.processorSeconds) / seconds;
    report({
      name: 'fan-out.client-cpu',
      value: clientCpu,
      unit: '% of a core',
      aim: 'stated',
      met: undefined,
      runs: [clientCpu],
    });
    const resident = await simulator.residentMB();
    report({ name: 'fan-out.memory', value: resident, unit: 'MB', aim: 'stated', met: undefined, runs: [resident] });
  },
};
