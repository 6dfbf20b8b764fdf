// A simulated host's switches and port groups: changed as HostNetworkSystem changes them, carrying nothing. Two physical NICs,
// both free, as vcsim's scripts expect.
import {
  type HostNetworkInfo,
  type HostPortGroupSpec,
  type HostVirtualSwitchSpec,
  isA,
  MethodFault,
  make,
} from '@vivarium/vim';

/** What has happened to the networks of the host. */
export interface NetworkChange {
  readonly added?: string;
  readonly removed?: string;
}

const PHYSICAL = ['vmnic0', 'vmnic1'];
const NO_POLICY = make('HostNetworkPolicy', {});

export class SimNetwork {
  readonly #switches = new Map<string, HostVirtualSwitchSpec>();
  readonly #portGroups = new Map<string, HostPortGroupSpec>();

  constructor(networks: readonly string[]) {
    this.#switches.set('vSwitch0', make('HostVirtualSwitchSpec', { numPorts: 128, mtu: 1500 }));
    for (const name of networks) {
      const spec = make('HostPortGroupSpec', { name, vlanId: 0, vswitchName: 'vSwitch0', policy: NO_POLICY });
      this.#portGroups.set(name, spec);
    }
  }

  /** Of the port groups. */
  get names(): string[] {
    return [...this.#portGroups.keys()];
  }

  /** A method of HostNetworkSystem. Faults: AlreadyExists, NotFound, ResourceInUse, NotSupported. */
  change(
    method: string,
    args: Readonly<Record<string, unknown>>,
    isInUse: (portGroup: string) => boolean,
  ): NetworkChange {
    const { vswitchName, spec, portgrp, pgName } = args as {
      vswitchName: string;
      spec?: HostVirtualSwitchSpec;
      portgrp: HostPortGroupSpec;
      pgName: string;
    };
    switch (method) {
      case 'AddVirtualSwitch':
        if (this.#switches.has(vswitchName)) throw new MethodFault('AlreadyExists', { name: vswitchName });
        return this.#setSwitch(vswitchName, spec ?? make('HostVirtualSwitchSpec', { numPorts: 128 }));
      case 'UpdateVirtualSwitch':
        if (!this.#switches.has(vswitchName)) throw new MethodFault('NotFound');
        return this.#setSwitch(vswitchName, spec ?? make('HostVirtualSwitchSpec', { numPorts: 128 }));
      case 'RemoveVirtualSwitch':
        return this.#removeSwitch(vswitchName);
      case 'AddPortGroup':
        if (this.#portGroups.has(portgrp.name)) throw new MethodFault('AlreadyExists', { name: portgrp.name });
        this.#setPortGroup(portgrp);
        return { added: portgrp.name };
      case 'UpdatePortGroup':
        if (!this.#portGroups.has(pgName)) throw new MethodFault('NotFound');
        if (portgrp.name !== pgName) throw new MethodFault('NotSupported', {}, 'a simulated port group keeps its name');
        this.#setPortGroup(portgrp);
        return {};
      case 'RemovePortGroup':
        if (!this.#portGroups.has(pgName)) throw new MethodFault('NotFound');
        if (isInUse(pgName)) throw new MethodFault('ResourceInUse', { type: 'HostPortGroup', name: pgName });
        this.#portGroups.delete(pgName);
        return { removed: pgName };
      default:
        throw new MethodFault('NotSupported');
    }
  }

  /** HostConfigInfo.network. */
  info(): HostNetworkInfo {
    const groupKey = (name: string) => `key-vim.host.PortGroup-${name}`;
    const switchKey = (name: string) => `key-vim.host.VirtualSwitch-${name}`;
    return make('HostNetworkInfo', {
      vswitch: Array.from(this.#switches, ([name, spec]) =>
        make('HostVirtualSwitch', {
          name,
          key: switchKey(name),
          numPorts: spec.numPorts,
          numPortsAvailable: spec.numPorts,
          mtu: spec.mtu ?? 1500,
          portgroup: Array.from(this.#portGroups.values())
            .filter(({ vswitchName }) => vswitchName === name)
            .map((group) => groupKey(group.name)),
          pnic: nicsOf(spec).map((device) => `key-vim.host.PhysicalNic-${device}`),
          spec,
        }),
      ),
      portgroup: Array.from(this.#portGroups.values(), (spec) =>
        make('HostPortGroup', {
          key: groupKey(spec.name),
          vswitch: switchKey(spec.vswitchName),
          computedPolicy: spec.policy,
          spec,
        }),
      ),
    });
  }

  #setSwitch(name: string, spec: HostVirtualSwitchSpec): NetworkChange {
    for (const device of nicsOf(spec)) {
      if (!PHYSICAL.includes(device)) throw new MethodFault('NotFound', {}, `There is no physical NIC '${device}'.`);
      const holder = [...this.#switches].find(
        ([other, { bridge }]) => other !== name && nicsOf({ bridge }).includes(device),
      );
      if (holder) throw new MethodFault('ResourceInUse', { type: 'PhysicalNic', name: device });
    }
    this.#switches.set(name, spec);
    return {};
  }

  #removeSwitch(name: string): NetworkChange {
    if (!this.#switches.has(name)) throw new MethodFault('NotFound');
    if ([...this.#portGroups.values()].some(({ vswitchName }) => vswitchName === name)) {
      throw new MethodFault('ResourceInUse', { type: 'HostVirtualSwitch', name });
    }
    this.#switches.delete(name);
    return {};
  }

  #setPortGroup(spec: HostPortGroupSpec): void {
    if (!this.#switches.has(spec.vswitchName)) throw new MethodFault('NotFound');
    this.#portGroups.set(spec.name, spec);
  }
}

function nicsOf({ bridge }: Pick<HostVirtualSwitchSpec, 'bridge'> | { bridge: undefined }): readonly string[] {
  return isA('HostVirtualSwitchBondBridge', bridge) ? bridge.nicDevice : [];
}
