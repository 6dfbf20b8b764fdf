// The HostSystem object and the compute resource around it, kept true.
import { type AboutInfo, make } from '@vivarium/vim';
import { addOptionManager, type Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import type { Resource } from '../resource-pool/share-tree.ts';
import { type HostLimits, hostCapability } from './host-capability.ts';
import {
  ADVANCED_OPTIONS,
  configManager,
  type HostView,
  hostHardware,
  hostRuntime,
  hostSummary,
} from './host-properties.ts';
import type { MachineFacts } from './machine-facts.ts';

export interface HostObjectOptions {
  readonly service: Service;
  readonly name: string;
  /** Of the HTTPS service; known once it listens. */
  readonly port: () => number;
  readonly facts: MachineFacts;
  /** How busy the machine is; `refresh` is called when it has changed. */
  readonly usage: () => HostView['usage'];
  readonly about: AboutInfo;
  readonly limits: HostLimits;
  readonly nics: number;
  /** Facts that administrators look for in the host's configuration (HostConfigInfo.option), e.g. the accelerator. */
  readonly options: readonly { readonly key: string; readonly value: string }[];
  /** MHz and MB that VMs can have. */
  readonly capacity: Readonly<Record<Resource, number>>;
}

/** Adds the host and its compute resource to the graph. `refresh` makes what is measured true again. */
export function publishHost(options: HostObjectOptions): { refresh(): void } {
  const { service, facts } = options;
  const { clock, graph } = service;
  // Once: worked out again it would be another one, by as much as the clocks differ.
  const bootTime = new Date(clock.now() - options.usage().uptimeSeconds * 1000).toISOString();
  const view = (): HostView => ({
    name: options.name,
    port: options.port(),
    facts,
    about: options.about,
    nics: options.nics,
    bootTime,
    usage: options.usage(),
  });
  const { capacity } = options;
  const first = view();
  const status = { overallStatus: 'green', configStatus: 'green' } as const;
  graph.add(refs.host, {
    ...status,
    name: options.name,
    parent: refs.computeResource,
    summary: hostSummary(first),
    runtime: hostRuntime(first),
    hardware: hostHardware(first),
    capability: hostCapability(options.limits),
    configManager,
    config: make('HostConfigInfo', {
      host: refs.host,
      product: options.about,
      option: options.options.map(({ key, value }) => make('OptionValue', { key, value })),
    }),
    vm: [],
    datastore: [],
    network: [],
  });
  addOptionManager(service, ADVANCED_OPTIONS, service.settings, refs.host);
  graph.add(refs.computeResource, {
    ...status,
    name: options.name,
    parent: refs.hostFolder,
    host: [refs.host],
    resourcePool: refs.resourcePool,
    environmentBrowser: refs.environmentBrowser,
    datastore: [],
    network: [],
    configurationEx: make('ComputeResourceConfigInfo', { vmSwapPlacement: 'vmDirectory' }),
    summary: make('ComputeResourceSummary', {
      totalCpu: facts.cpuMhz * facts.cores,
      totalMemory: facts.memoryBytes,
      numCpuCores: facts.cores,
      numCpuThreads: facts.threads,
      effectiveCpu: capacity.cpu,
      effectiveMemory: capacity.memory,
      numHosts: 1,
      numEffectiveHosts: 1,
      overallStatus: 'green',
    }),
  });
  return {
    refresh() {
      graph.get(refs.host).set('summary', hostSummary(view()));
    },
  };
}
