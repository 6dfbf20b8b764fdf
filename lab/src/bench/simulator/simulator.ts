// `viv sim` beside vcsim: the same inventory, the same requests, in turn, on one connection. vcsim takes minutes to make it.
import { govcPath, installGovc } from '../../clients/govc.ts';
import { runOk } from '../../testing/run.ts';
import { type Benchmark, type BenchmarkOptions, besideFigure, boundedFigure, type Figure, median } from '../figure.ts';
import { powerOnRate } from './power-on-rate.ts';
import { retrieval, SoapSession, viewOfVms, vmsOf } from './session.ts';
import { type Simulator, startSimulator } from './start-simulator.ts';
import { buildVcsim } from './vcsim.ts';

const VMS = 10_000;
const HOSTS = 100;
const READS = 7;
const FINDS = 3;
/** In the first ones hardly anything of ours is compiled yet. */
const POWER_ROUNDS = 5;
const POWER_VMS = 500;

/** `most`: of vcsim's time. */
const reads = [
  { name: 'name', paths: ['name'], most: 1 },
  { name: 'summary', paths: ['summary'], most: 1 },
  { name: 'devices', paths: ['config.hardware.device'], most: 1 },
  { name: 'everyday', paths: ['name', 'summary', 'config', 'runtime'], most: 0.05 },
] as const;

type Report = (figure: Figure) => void;

export const simulator: Benchmark = {
  name: 'simulator',
  about: `viv sim beside vcsim: start, reads, finds and power-ons of ${VMS} VMs; takes vcsim's minutes to start`,
  async run(report, options) {
    const { say } = options;
    const vms = options.vms ?? VMS;
    const counts = ['-standalone-host', '0', '-cluster', '1', '-host', String(HOSTS), '-vm', String(vms)];
    say(`viv sim starts with ${vms} VMs`);
    await using ours = await startSimulator(counts);
    const vcsim = await buildVcsim();
    if ('path' in vcsim) say(`vcsim starts with ${vms} VMs: minutes`);
    await using peer = 'path' in vcsim ? await startSimulator(counts, vcsim.path) : undefined;
    const missing = 'missing' in vcsim ? vcsim.missing : '';
    const beside = async (of: (one: Simulator) => Promise<number[]> | number[]) => (peer ? await of(peer) : missing);
    const start = ({ startSeconds }: Simulator) => [startSeconds];
    report(besideFigure('simulator.start', 's', start(ours), await beside(start), 1));
    const memory = async ({ residentMB }: Simulator) => [await residentMB()];
    report(besideFigure('simulator.memory-at-start', 'MB', await memory(ours), await beside(memory), 1));
    for (const read of reads) await compareReads(report, read, ours, peer ?? missing, vms);
    report(besideFigure('simulator.memory-after-reads', 'MB', await memory(ours), await beside(memory), 2));
    await compareFinds(report, options, ours, peer ?? missing, vms);
    await comparePowerOns(report, options, ours, peer ?? missing);
  },
};

interface OpenView extends Disposable {
  readonly session: SoapSession;
  readonly view: string;
}

async function openView({ address }: Simulator): Promise<OpenView> {
  const session = await SoapSession.open(address);
  return { session, view: await viewOfVms(session), [Symbol.dispose]: () => session[Symbol.dispose]() };
}

/** The first read finds nothing encoded; it counts, and is told apart. */
async function compareReads(
  report: Report,
  { name, paths, most }: (typeof reads)[number],
  ours: Simulator,
  peer: Simulator | string,
  vms: number,
): Promise<void> {
  const times: Record<'ours' | 'peer' | 'first', number[]> = { ours: [], peer: [], first: [] };
  using mine = await openView(ours);
  using its = typeof peer === 'string' ? undefined : await openView(peer);
  const read = async ({ session, view }: OpenView) => {
    const reply = await session.send(retrieval(view, paths), { keepsBody: false });
    if (reply.bodyBytes < vms * 50) throw new Error(`${reply.bodyBytes} bytes are not the answer for ${vms} VMs`);
    return reply;
  };
  for (let round = 0; round < READS; round++) {
    const { lastByteMs, firstByteMs } = await read(mine);
    times.ours.push(lastByteMs);
    times.first.push(firstByteMs);
    if (its) times.peer.push((await read(its)).lastByteMs);
  }
  const bare = typeof peer === 'string' ? peer : times.peer;
  report(besideFigure(`simulator.read-${name}`, 'ms', times.ours, bare, most));
  const bareOnce = typeof bare === 'string' ? bare : bare.slice(0, 1);
  report(besideFigure(`simulator.read-${name}.once`, 'ms', times.ours.slice(0, 1), bareOnce, 1));
  report(boundedFigure(`simulator.read-${name}.first-byte`, 'ms', times.first, median(times.first), 50));
}

async function compareFinds(
  report: Report,
  { say }: BenchmarkOptions,
  ours: Simulator,
  peer: Simulator | string,
  vms: number,
): Promise<void> {
  const govc = await installGovc();
  if (govc.state !== 'installed') return say(`govc find: not run (${govc.detail})`);
  const find = async ({ url }: Simulator) => {
    const env = { GOVC_URL: url, GOVC_INSECURE: 'true', GOVC_PERSIST_SESSION: 'false' };
    const started = performance.now();
    const paths = await runOk(govcPath(), ['find', '/', '-type', 'm'], { env, timeoutMs: 600_000 });
    const count = paths.trimEnd().split('\n').length;
    if (count !== vms) throw new Error(`govc found ${count} of ${vms} VMs`);
    return (performance.now() - started) / 1000;
  };
  const times: Record<'ours' | 'peer', number[]> = { ours: [], peer: [] };
  for (let round = 0; round < FINDS; round++) {
    times.ours.push(await find(ours));
    if (typeof peer !== 'string') times.peer.push(await find(peer));
  }
  report(besideFigure('simulator.govc-find', 's', times.ours, typeof peer === 'string' ? peer : times.peer, 1));
}

/** Milliseconds a power-on: each begun by PowerOnVM_Task and read from its task until it has succeeded. */
async function comparePowerOns(
  report: Report,
  { say }: BenchmarkOptions,
  ours: Simulator,
  peer: Simulator | string,
): Promise<void> {
  say('VMs are powered on');
  const times: Record<'ours' | 'peer', number[]> = { ours: [], peer: [] };
  const measure = async (one: Simulator, round: number) => {
    using opened = await openView(one);
    const { session, view } = opened;
    const all = await vmsOf(session, view);
    const count = Math.min(POWER_VMS, Math.floor(all.length / POWER_ROUNDS));
    const vms = all.slice(round * count, (round + 1) * count);
    return 1000 / (await powerOnRate(one.address, vms));
  };
  for (let round = 0; round < POWER_ROUNDS; round++) {
    times.ours.push(await measure(ours, round));
    if (typeof peer !== 'string') times.peer.push(await measure(peer, round));
  }
  report(besideFigure('simulator.power-on', 'ms a VM', times.ours, typeof peer === 'string' ? peer : times.peer, 1));
}
