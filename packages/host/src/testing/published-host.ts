// A test host whose VMs are managed objects: what clients see, through the dispatch.
import type { TestContext } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemRandom } from '@vivarium/base/node';
import { MethodFault, type MoRef, make } from '@vivarium/vim';
import { localUser, Service } from '@vivarium/vmomi';
import { consoleTickets } from '../console/console-tickets.ts';
import { hostMethods } from '../host-system/host-methods.ts';
import { publishHost } from '../host-system/host-object.ts';
import { Management } from '../host-system/management.ts';
import { buildTree } from '../inventory/build-tree.ts';
import { refs } from '../inventory/refs.ts';
import { readMachineDetails } from '../machine/machine-details.ts';
import { machineFiles } from '../machine/machine-files.ts';
import { poolRef } from '../resource-pool/pool-record.ts';
import { publishPools } from '../resource-pool/publish-pools.ts';
import { HostStatistics } from '../statistics/host-statistics.ts';
import type { MachineReading } from '../statistics/machine-reading.ts';
import { Sampler } from '../statistics/sampler.ts';
import { PublishedVms } from '../virtual-machine/published-vms.ts';
import type { Vm } from '../vm/vm.ts';
import { vmFolderMethods } from '../vm-folder/vm-folder-methods.ts';
import { TEST_FACTS, TEST_IDENTITY } from './test-facts.ts';
import { type TestHost, type TestHostOptions, testHost } from './test-host.ts';

export interface PublishedHost {
  readonly host: TestHost;
  readonly service: Service;
  /** Calls a method as an administrator. */
  invoke<R = unknown>(ref: MoRef, method: string, args?: object): Promise<R>;
  /** Calls a method that returns a task; its result, or the fault that it ended with. */
  run<R = unknown>(ref: MoRef, method: string, args?: object): Promise<R>;
  property<R = unknown>(ref: MoRef, path: string): R;
  readonly statistics: HostStatistics;
  /** The host's machine as the sampler sees it; a test plays its load. */
  readonly machine: { reading: MachineReading };
  /** Ends this hostd without a word and starts another one. */
  restart(): Promise<PublishedHost>;
}

const GIGABYTE = 2 ** 30;

/** Four processors that have done nothing, 16 GB with 12 of them free. */
export const IDLE_MACHINE: MachineReading = {
  cpus: Array.from({ length: 4 }, () => ({ busyMs: 0, idleMs: 0 })),
  memoryBytes: 16 * GIGABYTE,
  availableBytes: 12 * GIGABYTE,
  swappedInBytes: 0,
  swappedOutBytes: 0,
  nics: new Map(),
  uptimeSeconds: 1_000,
};

/** As testHost, with a Service; VMs are published as hostd does it. */
export function publishedHost(context: TestContext): Promise<PublishedHost> {
  return publishOn((options) => testHost(context, options));
}

async function publishOn(start: (options: TestHostOptions) => Promise<TestHost>): Promise<PublishedHost> {
  const made: { service?: Service; vms?: PublishedVms } = {};
  const statistics = HostStatistics.open(':memory:', silentLogger);
  const machine = { reading: IDLE_MACHINE };
  const publish: TestHostOptions['publish'] = (host, store, registry, pools, maintenance) => {
    const about = make('AboutInfo', {
      name: 'VMware ESXi',
      fullName: 'VMware ESXi 9.0.0 (Vivarium)',
      vendor: 'VMware, Inc.',
      version: '9.0.0',
      build: '1',
      osType: 'vmnix-x86',
      productLineId: 'embeddedEsx',
      apiType: 'HostAgent',
      apiVersion: '9.0.0.0',
    });
    const { clock } = host;
    const service = new Service({
      clock,
      random: systemRandom,
      log: silentLogger,
      store,
      about,
      instance: 'HostAgent',
      rootFolder: refs.rootFolder,
      statistics,
    });
    made.service = service;
    const post = host.post;
    Object.assign(host, {
      post(event: Parameters<typeof post>[0]) {
        post(event);
        service.events.post(event as never);
      },
    });
    buildTree(service.graph, vmFolderMethods({ service, registry }));
    const management = new Management(store);
    publishHost({
      ...{ service, name: host.name, maintenance, management, facts: TEST_FACTS, about, options: [], nics: 1 },
      details: readMachineDetails(machineFiles()),
      hbas: 0,
      certificates: { identity: TEST_IDENTITY, onChange: () => () => undefined },
      methods: hostMethods({ service, name: host.name, maintenance, management, uptime: () => 1000 }),
      port: () => 443,
      usage: () => ({ cpuMhz: 0, memoryMB: 0, uptimeSeconds: 1000 }),
      limits: { maxRunningVms: 1024, maxVcpus: 4 },
      capacity: { cpu: 16_000, memory: 65_536 },
    });
    const tickets = consoleTickets({ clock, random: systemRandom });
    const endpoint = { port: 443, sslThumbprint: 'AA:BB' };
    const sampler = new Sampler({
      clock,
      log: silentLogger,
      host: refs.host,
      poolsOf: (vm) => pools.around(vm.id).map(poolRef),
      facts: { cpuMhz: host.cpuMhz, cores: 4 },
      network: host.network,
      readMachine: () => machine.reading,
      vms: () => registry().all.filter(({ power }) => power === 'poweredOn'),
      sampled: (timeMs, figures) => statistics.record(timeMs, figures),
    });
    const publishedPools = publishPools({
      ...{ service, pools, registry, hostName: host.name, vms: () => registry().all },
      post: (event) => host.post(event),
      importVApp: () => {
        throw new MethodFault('NotSupported', {}, 'a test host imports nothing');
      },
    });
    const follow = (vm: Vm, isRunning: boolean) => sampler.follow(vm, isRunning);
    made.vms = new PublishedVms({
      ...{ service, registry, tickets, endpoint, pools, publishedPools },
      followers: [{ follow, removed: (vm) => follow(vm, false) }],
    });
    return made.vms;
  };
  const host = await start({ publish });
  made.vms?.loaded();
  const { service } = made;
  if (!service) throw new Error('the host was not published');
  await service.authorization.ensureAdmin('root');
  const root = { userName: 'root', fullName: 'root', groups: [] };
  const { invoke, run } = localUser(service, root, 'test', { localAddress: '::ffff:192.0.2.1' });
  return {
    host,
    service,
    invoke,
    run,
    statistics,
    machine,
    property: <R>(ref: MoRef, path: string) => service.graph.get(ref).getPath(path) as R,
    restart: () => publishOn((options) => host.restart(options)),
  };
}
