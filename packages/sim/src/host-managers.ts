// The managers of a simulated host besides its network: what they show, and what of it can be changed. By the same functions as
// on a real host, over a machine that is only told of.
import { type Clock, dateTime } from '@vivarium/base';
import {
  AUTO_START_DEFAULTS,
  configManager,
  dateTimeInfo,
  FIREWALL,
  mergeAutoStart,
  queryNetConfig,
  requireRuleset,
  type ServiceFacts,
  serviceInfo,
  storageDeviceInfo,
  UTC,
  virtualNicManagerInfo,
} from '@vivarium/host/view';
import { openMemoryStore } from '@vivarium/store';
import {
  type HostAutoStartManagerConfig,
  type HostCertificateManagerCertificateInfo,
  type HostConfigManager,
  type HostDateTimeConfig,
  type HostFileSystemVolumeInfo,
  type HostNetworkInfo,
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  make,
  type OptionValue,
} from '@vivarium/vim';
import { daemonOptions, optionHandlers, optionProperties, Settings } from '@vivarium/vmomi';
import type { Derived } from './derived.ts';
import type { SimMachine } from './sim-machine.ts';

export interface HostManagersOptions {
  readonly clock: Clock;
  readonly machine: SimMachine;
  /** Without it there is no certificate manager. */
  readonly certificate: HostCertificateManagerCertificateInfo | undefined;
  /** What hosts have in common. */
  readonly derived: Derived;
  /** Advanced options as all hosts have them at first; never changed. */
  readonly settings: Settings;
  readonly volumes: () => HostFileSystemVolumeInfo;
  readonly datastores: () => readonly MoRef<'Datastore'>[];
  readonly network: () => HostNetworkInfo;
  readonly isVm: (vm: ManagedObjectReference) => boolean;
}

type Properties = Readonly<Record<string, unknown>>;
type Answer = { readonly result?: unknown; readonly isChanged?: boolean };

/** Of HostSystem.configManager, those that are simulated. */
const SIMULATED = [
  'advancedOption',
  'autoStartManager',
  'datastoreSystem',
  'dateTimeSystem',
  'firewallSystem',
  'networkSystem',
  'serviceSystem',
  'storageSystem',
  'virtualNicManager',
] as const satisfies readonly (keyof HostConfigManager)[];

export class HostManagers {
  readonly #options: HostManagersOptions;
  #services: readonly ServiceFacts[];
  #timeServers: readonly string[];
  #autoStart: HostAutoStartManagerConfig = make('HostAutoStartManagerConfig', {
    defaults: AUTO_START_DEFAULTS,
    powerInfo: [],
  });
  /** The host's own once they are changed. */
  #settings: Settings;

  constructor(options: HostManagersOptions) {
    this.#options = options;
    this.#services = options.machine.services;
    this.#timeServers = options.machine.timeServers;
    this.#settings = options.settings;
  }

  /** HostSystem.configManager. */
  get references(): HostConfigManager {
    const named = Object.fromEntries(SIMULATED.map((name) => [name, configManager[name]]));
    const { certificateManager } = configManager;
    return make('HostConfigManager', { ...named, ...(this.#options.certificate ? { certificateManager } : {}) });
  }

  /** What of HostSystem.config its managers know. */
  config(): Properties {
    return {
      network: this.#options.network(),
      storageDevice: this.#storageDevice(),
      fileSystemVolume: this.#options.volumes(),
      service: this.#options.derived.of(this.#services, serviceInfo),
      dateTimeInfo: this.#dateTimeInfo(),
      firewall: FIREWALL,
      autoStart: this.#autoStart,
      option: this.#optionProperties().setting,
      virtualNicManagerInfo: virtualNicManagerInfo(this.#options.network()),
    };
  }

  /** Every manager but the network's, by its reference. */
  all(): readonly (readonly [MoRef, Properties])[] {
    const refs = this.references;
    const { certificate, datastores, network, volumes } = this.#options;
    const entries: [ManagedObjectReference | undefined, Properties][] = [
      [refs.advancedOption, this.#optionProperties()],
      [refs.autoStartManager, { config: this.#autoStart }],
      [refs.datastoreSystem, { datastore: datastores(), capabilities: DATASTORE_CAPABILITIES }],
      [refs.dateTimeSystem, { dateTimeInfo: this.#dateTimeInfo() }],
      [refs.firewallSystem, { firewallInfo: FIREWALL }],
      [refs.serviceSystem, { serviceInfo: this.#options.derived.of(this.#services, serviceInfo) }],
      [
        refs.storageSystem,
        { storageDeviceInfo: this.#storageDevice(), fileSystemVolumeInfo: volumes(), systemFile: [] },
      ],
      [refs.virtualNicManager, { info: virtualNicManagerInfo(network()) }],
      [refs.certificateManager, { certificateInfo: certificate }],
    ];
    return entries.flatMap(([ref, properties]) => (ref ? [[ref as MoRef, properties] as const] : []));
  }

  /** Undefined when it is no manager of this kind. Faults as those of a real host's. */
  async perform(target: ManagedObjectReference, method: string, args: Properties): Promise<Answer | undefined> {
    switch (target.type) {
      case 'OptionManager':
        return this.#option(method, args);
      case 'HostAutoStartManager':
        return this.#autoStartMethod(method, args);
      case 'HostCertificateManager':
        return this.#certificateMethod(method);
      case 'HostDateTimeSystem':
        return this.#time(method, args);
      case 'HostFirewallSystem':
        return firewallMethod(method, args);
      case 'HostServiceSystem':
        return this.#service(method, args);
      case 'HostStorageSystem':
        return this.#storage(method, args);
      case 'HostVirtualNicManager':
        if (method !== 'QueryNetConfig') throw new MethodFault('NotSupported');
        return { result: queryNetConfig(this.#options.network(), String(args['nicType'])) };
      default:
        return undefined;
    }
  }

  async #option(method: string, args: Properties): Promise<Answer> {
    if (method === 'QueryOptions') {
      return { result: optionHandlers(this.#settings).QueryOptions({ name: args['name'] as string | undefined }) };
    }
    if (method !== 'UpdateOptions') throw new MethodFault('NotSupported');
    const isOwn = this.#settings !== this.#options.settings;
    const settings = isOwn ? this.#settings : advancedOptions();
    await settings.update(args['changedValue'] as OptionValue[]);
    this.#settings = settings;
    return { isChanged: true };
  }

  #autoStartMethod(method: string, args: Properties): Answer {
    // A simulated host never starts: its autostart is kept, and has no occasion.
    if (method !== 'ReconfigureAutostart') throw new MethodFault('NotSupported');
    const spec = args['spec'] as HostAutoStartManagerConfig;
    if ((spec.powerInfo ?? []).some(({ key }) => !this.#options.isVm(key))) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.powerInfo.key' });
    }
    this.#autoStart = mergeAutoStart(this.#autoStart, spec);
    return { isChanged: true };
  }

  #certificateMethod(method: string): Answer {
    const { certificate } = this.#options;
    if (method === 'RetrieveCertificateInfoList') return { result: certificate ? [certificate] : [] };
    if (method === 'ListCACertificates' || method === 'ListCACertificateRevocationLists') return { result: [] };
    throw new MethodFault('NotSupported');
  }

  #time(method: string, args: Properties): Answer {
    switch (method) {
      case 'QueryDateTime':
        return { result: dateTime(this.#options.clock) };
      case 'QueryAvailableTimeZones':
        return { result: [make('HostDateTimeSystemTimeZone', UTC)] };
      case 'RefreshDateTimeSystem':
        return {};
      case 'UpdateDateTimeConfig': {
        const { ntpConfig, timeZone = 'UTC' } = args['config'] as HostDateTimeConfig;
        if (timeZone !== 'UTC') throw new MethodFault('InvalidArgument', { invalidProperty: 'config.timeZone' });
        this.#timeServers = ntpConfig?.server ?? this.#timeServers;
        return { isChanged: true };
      }
      default:
        throw new MethodFault('NotSupported');
    }
  }

  #service(method: string, args: Properties): Answer {
    if (method === 'RefreshServices') return {};
    const id = String(args['id']);
    const found = this.#services.find(({ key }) => key === id);
    const changed = found && afterServiceCall(found, method, args);
    if (changed === 'notSupported') throw new MethodFault('NotSupported');
    if (!changed) throw new MethodFault('NotFound');
    this.#services = this.#services.map((one) => (one.key === id ? changed : one));
    return { isChanged: true };
  }

  #storage(method: string, args: Properties): Answer {
    switch (method) {
      case 'RefreshStorageSystem':
      case 'RescanAllHba':
      case 'RescanVmfs':
        return {};
      case 'RescanHba':
        if (this.#storageDevice().hostBusAdapter?.some(({ device }) => device === args['hbaDevice'])) return {};
        throw new MethodFault('NotFound');
      default:
        throw new MethodFault('NotSupported');
    }
  }

  #optionProperties() {
    const { derived, settings } = this.#options;
    return this.#settings === settings ? derived.of(settings, optionProperties) : optionProperties(this.#settings);
  }

  #storageDevice() {
    return this.#options.derived.of(this.#options.machine.blockDevices, storageDeviceInfo);
  }

  #dateTimeInfo() {
    const isKept = this.#services.some(({ key, isRunning }) => key === 'ntpd' && isRunning);
    return dateTimeInfo({ servers: this.#timeServers, isKept });
  }
}

const DATASTORE_CAPABILITIES = make('HostDatastoreSystemCapabilities', {
  nfsMountCreationRequired: false,
  nfsMountCreationSupported: true,
  localDatastoreSupported: true,
  vmfsExtentExpansionSupported: false,
});

/** A host's advanced options, as they come. */
export function advancedOptions(): Settings {
  return new Settings(openMemoryStore(), 'HostAgentSettings', daemonOptions('HostAgent'));
}

function firewallMethod(method: string, args: Properties): Answer {
  if (method === 'EnableRuleset') requireRuleset(String(args['id']));
  else if (method !== 'RefreshFirewall') throw new MethodFault('NotSupported');
  return {};
}

function afterServiceCall(service: ServiceFacts, method: string, args: Properties): ServiceFacts | 'notSupported' {
  switch (method) {
    case 'StartService':
    case 'RestartService':
      return { ...service, isRunning: true };
    case 'StopService':
      return { ...service, isRunning: false };
    case 'UpdateServicePolicy':
      return { ...service, isEnabled: args['policy'] !== 'off' };
    default:
      return 'notSupported';
  }
}
