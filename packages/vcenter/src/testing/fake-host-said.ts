// What a FakeHost says of itself and its VMs: as much as vCenter looks at.
import { type HostVirtualSwitchSpec, isA, type ManagedObjectReference, type MoRef, make, moRef } from '@vivarium/vim';
import type { HostUpdate } from '../host-link/host-link.ts';
import type { FakeHost } from './fake-host.ts';

export interface FakeVm {
  readonly ref: ManagedObjectReference;
  name: string;
  instanceUuid: string;
  vmPathName: string;
  powerState: 'poweredOn' | 'poweredOff' | 'suspended';
  /** Names of the networks that its cards are on. */
  nics: readonly string[];
  /** MB. */
  memoryReservation?: number;
  /** Bytes. */
  memoryOverhead?: number;
}

export const HOST = moRef('HostSystem', 'ha-host');

export function networkRef(name: string): MoRef<'Network'> {
  return moRef('Network', `HaNetwork-${name}`);
}

/** All that a host tells of itself to whoever connects. */
export function everythingOf(host: FakeHost): HostUpdate[] {
  const datastores = [...host.datastores].map(([name, url]) => ({ name, url, ref: moRef('Datastore', url) }));
  const networks = [...host.networks].map((name) => ({ name, ref: networkRef(name) }));
  const runtime = runtimeOf(host);
  const said = {
    name: host.address,
    runtime,
    summary: make('HostListSummary', {
      host: HOST,
      runtime,
      hardware: make('HostHardwareSummary', {
        vendor: 'v',
        model: 'm',
        uuid: host.uuid,
        memorySize: 8 * 2 ** 30,
        cpuModel: 'c',
        cpuMhz: 2000,
        numCpuPkgs: 1,
        numCpuCores: 4,
        numCpuThreads: 4,
        numNics: 1,
        numHBAs: 1,
      }),
      config: make('HostConfigSummary', {
        name: host.address,
        port: 443,
        vmotionEnabled: false,
        faultToleranceEnabled: false,
      }),
      quickStats: make('HostListSummaryQuickStats', { overallMemoryUsage: host.vms.size * 100 }),
      overallStatus: 'green',
      rebootRequired: false,
    }),
    datastore: datastores.map(({ ref }) => ref),
    network: networks.map(({ ref }) => ref),
    config: configOf(host),
  };
  return [
    enter(HOST, said),
    ...[...host.vms.values()].map((vm) => enterVm(host, vm)),
    ...datastores.map(({ name, url, ref }) =>
      enter(ref, {
        name,
        info: make('VmfsDatastoreInfo', {
          name,
          url,
          freeSpace: 1,
          maxFileSize: 1,
          maxMemoryFileSize: 1,
          maxPhysicalRDMFileSize: 1,
          maxVirtualRDMFileSize: 1,
        }),
        summary: make('DatastoreSummary', {
          datastore: ref,
          name,
          url,
          capacity: 2,
          freeSpace: host.freeBytes,
          accessible: true,
          type: 'VMFS',
        }),
        host: [
          make('DatastoreHostMount', { key: HOST, mountInfo: make('HostMountInfo', { accessMode: 'readWrite' }) }),
        ],
      }),
    ),
    ...networks.map(({ name }) => enterNetwork(name)),
  ];
}

export function enterVm(host: FakeHost, vm: FakeVm): HostUpdate {
  const datastore = /^\[([^\]]*)\]/.exec(vm.vmPathName)?.[1] ?? '';
  const runtime = make('VirtualMachineRuntimeInfo', {
    host: HOST,
    connectionState: 'connected',
    powerState: vm.powerState,
    faultToleranceState: 'notConfigured',
    toolsInstallerMounted: false,
    ...(vm.memoryOverhead === undefined ? {} : { memoryOverhead: vm.memoryOverhead }),
    numMksConnections: 0,
    recordReplayState: 'inactive',
    onlineStandby: false,
    consolidationNeeded: false,
  });
  return enter(vm.ref, {
    name: vm.name,
    runtime,
    config: {
      _typeName: 'VirtualMachineConfigInfo',
      name: vm.name,
      instanceUuid: vm.instanceUuid,
      files: make('VirtualMachineFileInfo', { vmPathName: vm.vmPathName }),
      hardware: {
        device: vm.nics.map((deviceName, index) =>
          make('VirtualVmxnet3', {
            key: 4000 + index,
            backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName, useAutoDetect: false }),
          }),
        ),
      },
    },
    summary: make('VirtualMachineSummary', {
      vm: vm.ref as never,
      runtime,
      config: make('VirtualMachineConfigSummary', {
        name: vm.name,
        template: false,
        vmPathName: vm.vmPathName,
        instanceUuid: vm.instanceUuid,
        memoryReservation: vm.memoryReservation ?? 0,
      }),
      quickStats: make('VirtualMachineQuickStats', { guestHeartbeatStatus: 'gray' }),
      overallStatus: 'green',
    }),
    datastore: [moRef('Datastore', host.datastores.get(datastore) ?? '')],
    network: vm.nics.map(networkRef),
  });
}

export function configTargetOf(host: FakeHost): unknown {
  const target = { name: '', configurationTag: [] };
  return make('ConfigTarget', {
    numCpus: 1,
    numCpuCores: 1,
    numNumaNodes: 1,
    smcPresent: false,
    maxMemMBOptimalPerf: 1024,
    datastore: [...host.datastores].map(([name, url]) => ({
      ...target,
      datastore: make('DatastoreSummary', {
        datastore: moRef('Datastore', url),
        name,
        url,
        capacity: 2,
        freeSpace: 1,
        accessible: true,
        type: 'VMFS',
      }),
    })) as never,
    network: [...host.networks].map((name) => ({
      ...target,
      network: make('NetworkSummary', {
        network: networkRef(name),
        name,
        accessible: true,
        ipPoolName: '',
      }),
    })) as never,
  });
}

export function runtimeOf(host: FakeHost) {
  return make('HostRuntimeInfo', {
    connectionState: 'connected',
    powerState: 'poweredOn',
    inMaintenanceMode: host.inMaintenanceMode,
  });
}

export function configOf(host: FakeHost): object {
  return {
    _typeName: 'HostConfigInfo',
    network: {
      _typeName: 'HostNetworkInfo',
      vswitch: [...host.switches].map(([name, spec]) => ({ name, spec, mtu: spec.mtu, pnic: pnicKeys(spec) })),
      portgroup: [...host.portGroups.values()].map((spec) => ({ spec })),
    },
  };
}

function pnicKeys({ bridge }: HostVirtualSwitchSpec): string[] {
  const nics = isA('HostVirtualSwitchBondBridge', bridge) ? bridge.nicDevice : [];
  return nics.map((name) => `key-vim.host.PhysicalNic-${name}`);
}

function enter(ref: ManagedObjectReference, said: object): HostUpdate {
  return { kind: 'enter', ref, changes: Object.entries(said).map(([name, value]) => ({ name, value })) };
}

export function enterNetwork(name: string): HostUpdate {
  const ref = networkRef(name);
  return enter(ref, {
    name,
    summary: make('NetworkSummary', { network: ref, name, accessible: true, ipPoolName: '' }),
  });
}
