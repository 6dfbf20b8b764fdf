// The HostSystem object and the compute resource around it, kept true.
import {
  type AboutInfo,
  type ComputeResourceSummary,
  type Handlers,
  type HostConfigInfo,
  make,
  type OptionValue,
} from '@vivarium/vim';
import { addOptionManager, type Call, type Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import type { MachineDetails } from '../machine/machine-details.ts';
import type { Resource } from '../resource-pool/share-tree.ts';
import type { HostCertificates } from '../tls/host-certificates.ts';
import { hostHardware } from './hardware-info.ts';
import { type HostLimits, hostCapability } from './host-capability.ts';
import { ADVANCED_OPTIONS, configManager, type HostView, hostRuntime, hostSummary } from './host-properties.ts';
import type { MachineFacts } from './machine-facts.ts';
import type { MaintenanceMode } from './maintenance-mode.ts';
import type { Management } from './management.ts';
import { licensableResource, systemResources } from './system-resources.ts';

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
  readonly details: MachineDetails;
  /** Adapters of storage. */
  readonly hbas: number;
  readonly certificates: Pick<HostCertificates, 'identity' | 'onChange'>;
  /** Facts that administrators look for in the host's configuration (HostConfigInfo.option), e.g. the accelerator. */
  readonly options: readonly { readonly key: string; readonly value: string }[];
  /** MHz and MB that VMs can have. */
  readonly capacity: Readonly<Record<Resource, number>>;
  readonly maintenance: Pick<MaintenanceMode, 'state' | 'onChange'>;
  readonly management: Pick<Management, 'vcenter' | 'onChange'>;
  readonly methods: Handlers<'HostSystem', Call>;
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
    details: options.details,
    hbas: options.hbas,
    sslThumbprint: options.certificates.identity.thumbprint,
    bootTime,
    usage: options.usage(),
    inMaintenanceMode: options.maintenance.state === 'in',
    managementServerIp: options.management.vcenter?.serverIp,
  });
  const first = view();
  const status = { overallStatus: 'green', configStatus: 'green' } as const;
  const host = {
    ...status,
    name: options.name,
    parent: refs.computeResource,
    summary: hostSummary(first),
    runtime: hostRuntime(first),
    hardware: hostHardware(first),
    licensableResource: licensableResource(facts),
    systemResources: systemResources(facts, options.capacity),
    capability: hostCapability(options.limits),
    configManager,
    config: configInfo(options),
    vm: [],
    datastore: [],
    network: [],
  };
  graph.add(refs.host, host, options.methods);
  const advanced = addOptionManager(service, ADVANCED_OPTIONS, service.settings, refs.host);
  const showConfig = () =>
    graph.get(refs.host).update({
      'config.option': [...optionValues(options), ...(advanced.get('setting') ?? [])],
      'config.certificate': [...Buffer.from(options.certificates.identity.certificate)],
    });
  showConfig();
  service.settings.onChange(showConfig);
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
    summary: computeSummary(options),
  });
  const refresh = () => {
    const now = view();
    graph.get(refs.host).update({ summary: hostSummary(now), runtime: hostRuntime(now) });
    graph.get(refs.computeResource).set('summary', computeSummary(options));
  };
  options.maintenance.onChange(refresh);
  options.certificates.onChange(() => {
    refresh();
    showConfig();
  });
  options.management.onChange(refresh);
  return { refresh };
}

/** What of the host's configuration no manager of its own keeps. */
function configInfo(options: HostObjectOptions): HostConfigInfo {
  const { isAvailable, isActive } = options.details.hyperThreading;
  return make('HostConfigInfo', {
    host: refs.host,
    product: options.about,
    hyperThread: make('HostHyperThreadScheduleInfo', { available: isAvailable, active: isActive, config: isActive }),
    systemFile: [],
    option: optionValues(options),
    systemResources: systemResources(options.facts, options.capacity),
    flags: make('HostFlagInfo', { backgroundSnapshotsEnabled: false }),
    adminDisabled: false,
    lockdownMode: 'lockdownDisabled',
    wakeOnLanCapable: false,
  });
}

function optionValues({ options }: Pick<HostObjectOptions, 'options'>): OptionValue[] {
  return options.map(({ key, value }) => make('OptionValue', { key, value }));
}

/** In maintenance mode a host counts, but has nothing to give. */
function computeSummary({ facts, capacity, maintenance }: HostObjectOptions): ComputeResourceSummary {
  const isEffective = maintenance.state !== 'in';
  return make('ComputeResourceSummary', {
    totalCpu: facts.cpuMhz * facts.cores,
    totalMemory: facts.memoryBytes,
    numCpuCores: facts.cores,
    numCpuThreads: facts.threads,
    effectiveCpu: isEffective ? capacity.cpu : 0,
    effectiveMemory: isEffective ? capacity.memory : 0,
    numHosts: 1,
    numEffectiveHosts: isEffective ? 1 : 0,
    overallStatus: 'green',
  });
}
