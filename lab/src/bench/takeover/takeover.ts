// The leading vpxd is killed, and a client comes to the one that stands by: from the kill to its having logged in and read the names of all
// VMs. Three etcd members, both vpxd and the client share the machine; the hosts are gone.
import type { VimClient } from '@vivarium/client';
import { moRef } from '@vivarium/vim';
import { EtcdCluster } from '../../store/etcd-cluster.ts';
import { freePort } from '../../store/free-port.ts';
import { installEtcd } from '../../store/install-etcd.ts';
import { type Account, VpxdProcess } from '../../store/vpxd-process.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { type Benchmark, boundedFigure, type Figure, median } from '../figure.ts';
import { processorSeconds } from '../processor-time.ts';
import { fillStore, type Size } from './fill-store.ts';

/** 18 VMs a host. */
const SIZES: readonly Size[] = [
  { clusters: 1, hostsInCluster: 56, vmsInCluster: 1000 },
  { clusters: 10, hostsInCluster: 56, vmsInCluster: 1000 },
  { clusters: 25, hostsInCluster: 100, vmsInCluster: 1800 },
];
const ROUNDS = 3;
const MOST_MS = 5_000;
const START_MS = 600_000;

interface Takeover {
  readonly loginMs: number;
  readonly namesMs: number;
  readonly processorMs: number;
}

export const takeover: Benchmark = {
  name: 'takeover',
  about: 'from the kill of the leading vpxd to the first answers of the one that stands by, up to 45,000 VMs in etcd',
  async run(report, { say, vms: most = Number.POSITIVE_INFINITY }) {
    const { state, detail } = await installEtcd();
    if (state !== 'installed') throw new Error(`etcd cannot be fetched: ${detail}`);
    for (const size of SIZES) {
      if (vmsOf(size) <= most) await measure(size, report, say);
    }
  },
};

const vmsOf = ({ clusters, vmsInCluster }: Size): number => clusters * vmsInCluster;

async function measure(size: Size, report: (figure: Figure) => void, say: (text: string) => void): Promise<void> {
  const vms = vmsOf(size);
  say(`${size.clusters * size.hostsInCluster} hosts and ${vms} VMs are written into etcd`);
  await using cluster = await EtcdCluster.start();
  await fillStore(cluster.url, size, { address: '127.0.0.1', port: await freePort() });
  await using first = await VpxdProcess.start(cluster.url);
  await first.is('leader', START_MS);
  const account = await first.account();
  await using second = await VpxdProcess.start(cluster.url);
  await second.is('standby', START_MS);
  const runs: Takeover[] = [];
  for (let round = 0, [leader, other] = [first, second]; round < ROUNDS; round++, [leader, other] = [other, leader]) {
    const run = await takeOver(leader, other, account, vms);
    say(`login after ${run.loginMs.toFixed(0)} ms, names after ${run.namesMs.toFixed(0)} ms`);
    runs.push(run);
    await leader.start();
    await leader.is('standby', START_MS);
  }
  const name = `takeover.${vms}`;
  const of = (figure: keyof Takeover) => runs.map((run) => run[figure]);
  report(boundedFigure(`${name}.names`, 'ms', of('namesMs'), median(of('namesMs')), MOST_MS));
  for (const [what, figure] of [
    ['login', 'loginMs'],
    ['cpu', 'processorMs'],
  ] as const) {
    const value = median(of(figure));
    report({ name: `${name}.${what}`, value, unit: 'ms', aim: 'stated', met: undefined, runs: of(figure) });
  }
}

async function takeOver(leader: VpxdProcess, other: VpxdProcess, account: Account, vms: number): Promise<Takeover> {
  const before = await processorSeconds(other.pid);
  const killed = performance.now();
  await leader.kill();
  let loginMs = 0;
  const answered = async () => {
    using client = await other.connect(account);
    loginMs ||= performance.now() - killed;
    return countNames(client);
  };
  const found = await waitFor('the next to answer', () => answered().catch(() => undefined), START_MS);
  const namesMs = performance.now() - killed;
  if (found !== vms) throw new Error(`${found} of ${vms} VMs are there`);
  return { loginMs, namesMs, processorMs: 1_000 * ((await processorSeconds(other.pid)) - before) };
}

/** Reads the names of all VMs; resolves with how many there are. */
async function countNames(client: VimClient): Promise<number> {
  const { rootFolder, viewManager, propertyCollector } = await client.content();
  if (!viewManager) throw new Error('there is no ViewManager');
  const view = await client.call(viewManager, 'CreateContainerView', {
    container: rootFolder,
    type: ['VirtualMachine'],
    recursive: true,
  });
  const selectSet = [{ _typeName: 'TraversalSpec', type: 'ContainerView', path: 'view' }];
  const specSet = [
    {
      propSet: [{ type: 'VirtualMachine', pathSet: ['name'] }],
      objectSet: [{ obj: view, skip: true, selectSet }],
    },
  ];
  const answer = await client.call(moRef('PropertyCollector', propertyCollector.value), 'RetrievePropertiesEx', {
    specSet: specSet as never,
    options: {},
  });
  return answer?.objects.length ?? 0;
}
