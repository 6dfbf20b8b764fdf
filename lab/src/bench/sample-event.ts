import type { HistoryEntry } from '@vivarium/store';

/** About 900 bytes of JSON, as vCenter posts them. */
export function sampleEvent(key: number): HistoryEntry {
  const [vm, host, cluster] = [(key * 7_919) % 45_000, (key * 104_729) % 2_500, (key * 31) % 64];
  const vmName = `DC0_C${cluster}_RP0_VM${vm}`;
  const hostName = `DC0_C${cluster}_H${host}`;
  const entity = (type: string, name: string, kind: string, value: string) => ({
    _typeName: `${type}EventArgument`,
    name,
    [kind]: { type, value },
  });
  const value = {
    _typeName: 'VmPoweredOnEvent',
    key,
    chainId: key - (key % 3),
    createdTime: new Date(1_764_000_000_000 + key * 1_337).toISOString(),
    userName: `VIVARIUM.LOCAL\\operator${key % 17}`,
    datacenter: entity('Datacenter', 'DC0', 'datacenter', 'datacenter-2'),
    computeResource: entity('ComputeResource', `DC0_C${cluster}`, 'computeResource', `domain-c${cluster}`),
    host: entity('HostSystem', hostName, 'host', `host-${host}`),
    vm: entity('VirtualMachine', vmName, 'vm', `vm-${vm}`),
    fullFormattedMessage: `${vmName} on ${hostName} in DC0 is powered on`,
    template: false,
  };
  return { key, timeMs: 1_764_000_000_000 + key * 1_337, value };
}
