// HostNetworkSystem's properties from the configuration, the plugged ports and the machine's own network. Pure.
import {
  type HostDnsConfig,
  type HostIpRouteConfig,
  type HostNetCapabilities,
  type HostNetworkConfig,
  type HostNetworkInfo,
  type HostPortGroup,
  type HostVirtualNic,
  type HostVirtualSwitch,
  make,
} from '@vivarium/vim';
import type { PhysicalAdapter } from '../network/adapters/physical-adapter.ts';
import {
  effectiveSecurity,
  effectiveTeaming,
  type NetworkConfiguration,
  type PortGroup,
  switchTeaming,
  TEAMING_POLICIES,
  type VirtualSwitch,
} from '../network/configuration.ts';
import { type MachineNetwork, mainAddress } from '../network/machine/machine-network.ts';
import { defaultRoute } from '../network/machine/route-table.ts';
import type { NetworkProvider, PortInfo } from '../network/provider.ts';
import { addressAt } from '../network/services/subnet.ts';
import { physicalNic, physicalNicKey } from './physical-nic.ts';
import { fullPolicy, ownPolicy } from './policy.ts';
import { bridgeOf } from './uplinks.ts';

export interface NetworkView {
  readonly mode: NetworkProvider['mode'];
  readonly configuration: NetworkConfiguration;
  readonly ports: readonly PortInfo[];
  readonly adapters: readonly PhysicalAdapter[];
  readonly machine: MachineNetwork;
}

/** The TCP/IP stack that everything uses. */
const STACK = 'defaultTcpipStack';

export const portGroupKey = (name: string) => `key-vim.host.PortGroup-${name}`;

export function networkInfo(view: NetworkView): HostNetworkInfo {
  const { configuration, machine, adapters } = view;
  const dnsConfig = dns(machine);
  const ipRouteConfig = routes(machine);
  return make('HostNetworkInfo', {
    vswitch: configuration.switches.map((vswitch) => virtualSwitch(view, vswitch)),
    proxySwitch: [],
    portgroup: configuration.portGroups.map((group) => portGroup(view, group)),
    pnic: adapters.map((adapter) => physicalNic(machine, adapter)),
    vnic: vmkernelNics(view),
    consoleVnic: [],
    dnsConfig,
    ipRouteConfig,
    routeTableInfo: make('HostIpRouteTableInfo', {
      ipRoute: machine.routes.map(({ destination, gateway = '0.0.0.0', device }) =>
        make('HostIpRouteEntry', {
          network: addressAt(destination, 0),
          prefixLength: destination.prefixLength,
          gateway,
          deviceName: device,
        }),
      ),
    }),
    ipV6Enabled: false,
    atBootIpV6Enabled: false,
    netStackInstance: [make('HostNetStackInstance', { key: STACK, name: STACK, dnsConfig, ipRouteConfig })],
  });
}

/** The same as a specification: what UpdateNetworkConfig would be given to make this. */
export function networkConfig(view: NetworkView): HostNetworkConfig {
  const info = networkInfo(view);
  return make('HostNetworkConfig', {
    vswitch: info.vswitch?.map(({ name, spec }) => make('HostVirtualSwitchConfig', { name, spec })),
    portgroup: info.portgroup?.map(({ spec }) => make('HostPortGroupConfig', { spec })),
    pnic: info.pnic?.map(({ device, spec }) => make('PhysicalNicConfig', { device, spec })),
    vnic: info.vnic?.map(({ device, portgroup, spec }) => make('HostVirtualNicConfig', { device, portgroup, spec })),
    dnsConfig: info.dnsConfig,
    ipRouteConfig: info.ipRouteConfig,
    ipV6Enabled: false,
  });
}

export function netCapabilities({ mode }: Pick<NetworkView, 'mode'>): HostNetCapabilities {
  const hasSwitch = mode === 'ovs';
  return make('HostNetCapabilities', {
    canSetPhysicalNicLinkSpeed: false,
    supportsNicTeaming: hasSwitch,
    nicTeamingPolicy: hasSwitch ? [...TEAMING_POLICIES] : [],
    supportsVlan: hasSwitch,
    usesServiceConsoleNic: false,
    supportsNetworkHints: true,
    maxPortGroupsPerVswitch: 512,
    vswitchConfigSupported: hasSwitch,
    vnicConfigSupported: false,
    ipRouteConfigSupported: false,
    dnsConfigSupported: false,
    dhcpOnVnicSupported: false,
    ipV6Supported: false,
    backupNfcNiocSupported: false,
  });
}

function virtualSwitch({ configuration, ports }: NetworkView, vswitch: VirtualSwitch): HostVirtualSwitch {
  const { name, mtu, numPorts, security, uplinks = [] } = vswitch;
  const groups = configuration.portGroups.filter(({ vswitchName }) => vswitchName === name).map((group) => group.name);
  const used =
    ports.filter((port) => groups.includes(port.portGroup)).length +
    (groups.includes(configuration.management) ? 1 : 0);
  return make('HostVirtualSwitch', {
    name,
    key: `key-vim.host.VirtualSwitch-${name}`,
    // Ports come as they are asked for: there is always room.
    numPorts: Math.max(numPorts, used),
    numPortsAvailable: Math.max(numPorts - used, 0),
    mtu,
    portgroup: groups.map(portGroupKey),
    pnic: uplinks.map(physicalNicKey),
    spec: make('HostVirtualSwitchSpec', {
      numPorts,
      mtu,
      bridge: bridgeOf(vswitch),
      policy: fullPolicy(security, switchTeaming(vswitch)),
    }),
  });
}

function portGroup(view: NetworkView, group: PortGroup): HostPortGroup {
  const { configuration, ports } = view;
  const plugged = ports
    .filter((port) => port.portGroup === group.name)
    .map(({ portKey, mac }) => make('HostPortGroupPort', { key: portKey, mac: [mac], type: 'virtualMachine' }));
  const own = group.name === configuration.management ? vmkernelNics(view) : [];
  const kernel = own.map(({ key, spec }) =>
    make('HostPortGroupPort', { key, mac: spec.mac === undefined ? [] : [spec.mac], type: 'host' }),
  );
  return make('HostPortGroup', {
    key: portGroupKey(group.name),
    port: [...plugged, ...kernel],
    vswitch: `key-vim.host.VirtualSwitch-${group.vswitchName}`,
    computedPolicy: fullPolicy(effectiveSecurity(configuration, group), effectiveTeaming(configuration, group)),
    spec: make('HostPortGroupSpec', {
      name: group.name,
      vlanId: group.vlanId,
      vswitchName: group.vswitchName,
      policy: ownPolicy(group.security, group.teaming),
    }),
  });
}

// vmk0 is how the machine is reached: an address of the machine itself, which is on no switch of ours.
function vmkernelNics({ configuration, machine }: NetworkView): HostVirtualNic[] {
  const main = mainAddress(machine);
  if (!main) return [];
  return [
    make('HostVirtualNic', {
      device: 'vmk0',
      key: 'key-vim.host.VirtualNic-vmk0',
      portgroup: configuration.management,
      spec: make('HostVirtualNicSpec', {
        ip: make('HostIpConfig', { dhcp: false, ipAddress: main.address, subnetMask: main.netmask }),
        mac: main.mac,
        portgroup: configuration.management,
        mtu: machine.physical.find(({ device }) => device === main.device)?.mtu ?? 1500,
        tsoEnabled: false,
        netStackInstanceKey: STACK,
      }),
    }),
  ];
}

function dns(machine: MachineNetwork): HostDnsConfig {
  return make('HostDnsConfig', {
    dhcp: false,
    hostName: machine.hostName,
    domainName: machine.domainName,
    address: [...machine.resolvers],
    searchDomain: [...machine.searchDomains],
  });
}

function routes(machine: MachineNetwork): HostIpRouteConfig {
  const gateway = defaultRoute(machine.routes)?.gateway;
  return make('HostIpRouteConfig', {
    defaultGateway: gateway,
    gatewayDevice: gateway === undefined ? undefined : 'vmk0',
  });
}
