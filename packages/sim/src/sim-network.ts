// A simulated host's switches and port groups: changed by the code that real hosts use, carrying nothing. Two physical NICs,
// both free, as vcsim's scripts expect: which switch has which is kept here, as real hosts have no uplinks yet.
import {
  applyNetworkConfig,
  changeConfiguration,
  INITIAL_CONFIGURATION,
  type MachineNetwork,
  type NetworkConfiguration,
  netCapabilities,
  networkConfig,
  networkHint,
  networkInfo,
} from '@vivarium/host/view';
import {
  type HostNetworkConfig,
  type HostNetworkInfo,
  type HostPortGroupSpec,
  type HostVirtualSwitchBridge,
  type HostVirtualSwitchSpec,
  isA,
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

const CAPABILITIES = { ...netCapabilities({ mode: 'ovs' }), supportsNicTeaming: true };

export class SimNetwork {
  readonly #machine: MachineNetwork;
  #configuration: NetworkConfiguration = INITIAL_CONFIGURATION;
  /** By the switch that has them. */
  readonly #uplinks = new Map<string, HostVirtualSwitchBridge>();

  /** As the network is now. */
  #info: HostNetworkInfo | undefined;

  constructor(machine: MachineNetwork) {
    this.#machine = machine;
  }

  /** Of the port groups that VMs can be on; the management network is the host's own. */
  get names(): string[] {
    const { portGroups, management } = this.#configuration;
    return portGroups.flatMap(({ name }) => (name === management ? [] : [name]));
  }

  /** A query of HostNetworkSystem; undefined when the method is none. Fault: NotFound. */
  query(method: string, args: Readonly<Record<string, unknown>>): unknown {
    if (method !== 'QueryNetworkHint') return undefined;
    const { device = this.#machine.physical.map((card) => card.device) } = args as unknown as Args;
    return device.map((name) => {
      const hint = networkHint(this.#machine, name);
      if (!hint) throw new MethodFault('NotFound', {}, `There is no physical NIC '${name}'.`);
      return hint;
    });
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
        this.#checkUplinks(vswitchName, spec);
        this.#configuration = addVirtualSwitch(now, vswitchName, withoutBridge(spec));
        this.#setUplinks(vswitchName, spec);
        break;
      case 'UpdateVirtualSwitch':
        this.#checkUplinks(vswitchName, spec);
        this.#configuration = updateVirtualSwitch(now, vswitchName, withoutBridge(spec) ?? NO_SPEC);
        this.#setUplinks(vswitchName, spec);
        break;
      case 'RemoveVirtualSwitch':
        this.#configuration = removeVirtualSwitch(now, vswitchName, inUse);
        this.#uplinks.delete(vswitchName);
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
        this.#configuration = applyNetworkConfig(now, config, changeMode, inUse);
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
    this.#info ??= this.#makeInfo();
    return this.#info;
  }

  #makeInfo(): HostNetworkInfo {
    const info = networkInfo(this.#view());
    return {
      ...info,
      vswitch: (info.vswitch ?? []).map((one) => {
        const bridge = this.#uplinks.get(one.name);
        if (!bridge) return one;
        const pnic = nicsOf(bridge).map((device) => `key-vim.host.PhysicalNic-${device}`);
        return { ...one, pnic, spec: { ...one.spec, bridge } };
      }),
    };
  }

  /** HostNetworkSystem's properties. */
  properties(): Readonly<Record<string, unknown>> {
    const info = this.info();
    const { dnsConfig, ipRouteConfig } = info;
    const config = networkConfig(this.#view());
    return { networkInfo: info, networkConfig: config, capabilities: CAPABILITIES, dnsConfig, ipRouteConfig };
  }

  #view() {
    return { mode: 'ovs', configuration: this.#configuration, ports: [], machine: this.#machine } as const;
  }

  /** Faults: NotFound, ResourceInUse. */
  #checkUplinks(name: string, spec: HostVirtualSwitchSpec | undefined): void {
    for (const device of nicsOf(spec?.bridge)) {
      if (!this.#machine.physical.some((card) => card.device === device)) {
        throw new MethodFault('NotFound', {}, `There is no physical NIC '${device}'.`);
      }
      const holder = [...this.#uplinks].find(([other, bridge]) => other !== name && nicsOf(bridge).includes(device));
      if (holder) throw new MethodFault('ResourceInUse', { type: 'PhysicalNic', name: device });
    }
  }

  #setUplinks(name: string, spec: HostVirtualSwitchSpec | undefined): void {
    if (spec?.bridge && nicsOf(spec.bridge).length > 0) this.#uplinks.set(name, spec.bridge);
    else this.#uplinks.delete(name);
  }
}

const NO_SPEC = make('HostVirtualSwitchSpec', { numPorts: 128 });

/** Without what names physical NICs: the code of real hosts refuses those. */
function withoutBridge(spec: HostVirtualSwitchSpec | undefined): HostVirtualSwitchSpec | undefined {
  if (!spec) return undefined;
  const { bridge: _bridge, policy, ...rest } = spec;
  if (!policy) return rest;
  const { nicTeaming: _teaming, ...others } = policy;
  return { ...rest, policy: others };
}

function nicsOf(bridge: HostVirtualSwitchBridge | undefined): readonly string[] {
  return isA('HostVirtualSwitchBondBridge', bridge) ? bridge.nicDevice : [];
}
