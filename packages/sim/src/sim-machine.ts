// The machine below a simulated host, as far as the host tells of it: two network cards, one disk, the services of an ESXi. Pure.
import { type BlockDevice, type MachineNetwork, parseSubnet, type ServiceFacts } from '@vivarium/host/view';

export interface SimMachine {
  readonly network: MachineNetwork;
  readonly blockDevices: readonly BlockDevice[];
  readonly services: readonly ServiceFacts[];
  readonly timeServers: readonly string[];
}

/** Hosts' addresses: 172.16.0.0/12, the number counts from 0. */
const PREFIX = 12;
const NETMASK = '255.240.0.0';
const DISK_BYTES = 64 * 2 ** 30;

export function simMachine(name: string, number: number): SimMachine {
  const address = hostAddress(number);
  const subnet = parseSubnet(`${address}/${PREFIX}`);
  if (!subnet) throw new Error(`${address} is no address`);
  const mac = (card: number) => macOf(number * 2 + card);
  return {
    network: {
      hostName: name,
      domainName: 'localdomain',
      addresses: [{ device: 'vmnic0', mac: mac(0), address, netmask: NETMASK, prefixLength: PREFIX, subnet }],
      addresses6: [],
      routes: [
        { device: 'vmnic0', destination: { base: 0, prefixLength: 0 }, gateway: '172.31.255.254', metric: 0 },
        { device: 'vmnic0', destination: subnet, metric: 0 },
      ],
      physical: [0, 1].map((card) => ({
        device: `vmnic${card}`,
        mac: mac(card),
        driver: 'nvmxnet3',
        busAddress: `0000:0${card + 3}:00.0`,
        speedMbps: 10_000,
        hasLink: true,
        isFullDuplex: true,
        mtu: 1500,
        isUp: true,
        usedBy: [],
      })),
      resolvers: [],
      searchDomains: [],
    },
    blockDevices: BLOCK_DEVICES,
    services: SERVICES,
    timeServers: [],
  };
}

const BLOCK_DEVICES: readonly BlockDevice[] = [
  {
    name: 'sda',
    sizeBytes: DISK_BYTES,
    blockBytes: 512,
    isRotational: false,
    vendor: 'Vivarium',
    model: 'Simulated Disk',
    revision: '1.0',
    isNvme: false,
    adapter: { pci: '0000:02:00.0', driver: 'pvscsi' },
  },
];

const SERVICES: readonly ServiceFacts[] = [
  { key: 'ntpd', label: 'NTP Daemon', ruleset: 'ntpClient', isRunning: true, isEnabled: true },
  { key: 'TSM', label: 'ESXi Shell', ruleset: 'TSM', isRunning: false, isEnabled: false },
  { key: 'TSM-SSH', label: 'SSH', ruleset: 'sshServer', isRunning: false, isEnabled: false },
  { key: 'snmpd', label: 'SNMP Server', ruleset: 'snmp', isRunning: false, isEnabled: true },
  { key: 'vpxa', label: 'VMware vCenter Agent', ruleset: 'vpxHeartbeats', isRunning: true, isEnabled: true },
];

function hostAddress(number: number): string {
  const value = number + 1;
  return `172.${16 + ((value >> 16) & 15)}.${(value >> 8) & 255}.${value & 255}`;
}

/** Of VMware's block for its own adapters. */
function macOf(number: number): string {
  const part = (shift: number) => ((number >> shift) & 255).toString(16).padStart(2, '0');
  return `00:50:56:${part(16)}:${part(8)}:${part(0)}`;
}
