// A simulated host's switches and port groups: changed by the code that real hosts use, carrying nothing. Two physical NICs,
// both free, as vcsim's scripts expect.
import {
  applyNetworkConfig,
  changeConfiguration,
  freeAdapters,
  INITIAL_CONFIGURATION,
  type MachineNetwork,
  type NetworkConfiguration,
  netCapabilities,
  networkConfig,
  networkHints,
  networkInfo,
} from '@vivarium/host/view';
import {
  type HostNetworkConfig,
  type HostNetworkInfo,
  type HostPortGroupSpec,
  type HostVirtualSwitchSpec,
  MethodFault,
  make,
} from '@vivarium/vim';

/** What has happened to the networks of the host. */
export interface NetworkChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

interface Args {
  readonly vswitchName: string;
  readonly spec?: HostVirtualSwitchSpec;
  readonly portgrp: HostPortGroupSpec;
  readonly pgName: string;
  readonly config: HostNetworkConfig;
  readonly changeMode: string;
  readonly device?: readonly string[];
}

const CAPABILITIES = netCapabilities({ mode: 'ovs' });

export class SimNetwork {
  readonly #machine: MachineNetwork;
  readonly #adapters: ReturnType<typeof freeAdapters>;
  #configuration: NetworkConfiguration = INITIAL_CONFIGURATION;
  /** As the network is now. */
  #info: HostNetworkInfo | undefined;

  constructor(machine: MachineNetwork) {
    this.#machine = machine;
    this.#adapters = freeAdapters(machine);
  }

  /** Of the port groups that VMs can be on; the management network is the host's own. */
  get names(): string[] {
    const { portGroups, management } = this.#configuration;
    return portGroups.flatMap(({ name }) => (name === management ? [] : [name]));
  }

  /** A query of HostNetworkSystem; undefined when the method is none. Fault: NotFound. */
  query(method: string, args: Readonly<Record<string, unknown>>): unknown {
    if (method !== 'QueryNetworkHint') return undefined;
    const { device } = args as unknown as Args;
    return networkHints(this.#machine, this.#adapters, device);
  }

  /** A change by HostNetworkSystem. Faults: AlreadyExists, NotFound, ResourceInUse, InvalidArgument, NotSupported. */
  change(
    method: string,
    args: Readonly<Record<string, unknown>>,
    isInUse: (portGroup: string) => boolean,
  ): NetworkChange {
    const former = this.names;
    const now = this.#configuration;
    const { vswitchName, spec, portgrp, pgName, config, changeMode } = args as unknown as Args;
    const inUse = { has: isInUse } as ReadonlySet<string>;
    const { addVirtualSwitch, updateVirtualSwitch, removeVirtualSwitch } = changeConfiguration;
    const { addPortGroup, updatePortGroup, removePortGroup } = changeConfiguration;
    switch (method) {
      case 'AddVirtualSwitch':
        this.#configuration = addVirtualSwitch(now, vswitchName, spec, this.#adapters);
        break;
      case 'UpdateVirtualSwitch':
        this.#configuration = updateVirtualSwitch(now, vswitchName, spec ?? NO_SPEC, this.#adapters);
        break;
      case 'RemoveVirtualSwitch':
        this.#configuration = removeVirtualSwitch(now, vswitchName, inUse);
        break;
      case 'AddPortGroup':
        this.#configuration = addPortGroup(now, portgrp);
        break;
      case 'UpdatePortGroup':
        if (portgrp.name !== pgName && isInUse(pgName)) {
          throw new MethodFault('NotSupported', {}, 'a simulated port group that VMs are on keeps its name');
        }
        this.#configuration = updatePortGroup(now, pgName, portgrp);
        break;
      case 'RemovePortGroup':
        this.#configuration = removePortGroup(now, pgName, inUse);
        break;
      case 'UpdateNetworkConfig':
        this.#configuration = applyNetworkConfig(now, config, changeMode, inUse, this.#adapters);
        break;
      case 'RefreshNetworkSystem':
        break;
      default:
        throw new MethodFault('NotSupported');
    }
    this.#info = undefined;
    const names = this.names;
    return {
      added: names.filter((name) => !former.includes(name)),
      removed: former.filter((name) => !names.includes(name)),
    };
  }

  /** HostConfigInfo.network. */
  info(): HostNetworkInfo {
    this.#info ??= networkInfo(this.#view());
    return this.#info;
  }

  /** HostNetworkSystem's properties. */
  properties(): Readonly<Record<string, unknown>> {
    const info = this.info();
    const { dnsConfig, ipRouteConfig } = info;
    const config = networkConfig(this.#view());
    return { networkInfo: info, networkConfig: config, capabilities: CAPABILITIES, dnsConfig, ipRouteConfig };
  }

  #view() {
    const configuration = this.#configuration;
    return { mode: 'ovs', configuration, ports: [], adapters: this.#adapters, machine: this.#machine } as const;
  }
}

const NO_SPEC = make('HostVirtualSwitchSpec', { numPorts: 128 });
