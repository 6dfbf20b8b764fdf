// HostSystem.hardware from the facts of the machine. Pure.
import { type HostHardwareInfo, type HostPciDevice, type HostSystemIdentificationInfo, make } from '@vivarium/vim';
import type { MachineDetails, PciDevice } from '../machine/machine-details.ts';
import { cpuFeatures } from './cpu-features.ts';
import type { HostView } from './host-properties.ts';
import type { MachineFacts } from './machine-facts.ts';

export function hostHardware({ facts, details }: Pick<HostView, 'facts' | 'details'>): HostHardwareInfo {
  const hz = facts.cpuMhz * 1e6;
  return make('HostHardwareInfo', {
    systemInfo: make('HostSystemInfo', {
      vendor: facts.vendor,
      model: facts.model,
      uuid: facts.uuid,
      serialNumber: facts.serialNumber,
      otherIdentifyingInfo: identifyingInfo(facts),
    }),
    cpuPowerManagementInfo:
      details?.frequencyGovernor === undefined
        ? undefined
        : make('HostCpuPowerManagementInfo', { currentPolicy: details.frequencyGovernor }),
    cpuInfo: make('HostCpuInfo', {
      numCpuPackages: facts.packages.length,
      numCpuCores: facts.cores,
      numCpuThreads: facts.threads,
      hz,
    }),
    cpuPkg: facts.packages.map(({ index, threads }) =>
      make('HostCpuPackage', {
        index,
        vendor: facts.cpuVendor,
        hz,
        busHz: 0,
        description: facts.cpuModel,
        threadId: [...threads],
        cpuFeature: cpuFeatures(facts.cpuFlags, facts.cpuVendor),
      }),
    ),
    memorySize: facts.memoryBytes,
    numaInfo: numaInfo(details),
    smcPresent: false,
    pciDevice: details?.pciDevices.map(pciDevice),
    cpuFeature: cpuFeatures(facts.cpuFlags, facts.cpuVendor),
    biosInfo: make('HostBIOSInfo', {
      biosVersion: facts.biosVersion,
      releaseDate: details?.firmwareDate,
      vendor: details?.firmwareVendor ?? facts.vendor,
      firmwareType: details?.firmwareType,
    }),
  });
}

export function identifyingInfo({ serialNumber }: Pick<MachineFacts, 'serialNumber'>): HostSystemIdentificationInfo[] {
  const identifierType = make('ElementDescription', {
    label: 'Service tag',
    summary: 'Service tag of the system',
    key: 'ServiceTag',
  });
  return [make('HostSystemIdentificationInfo', { identifierValue: serialNumber, identifierType })];
}

/** Nodes whose place in memory is not known are counted, but not described. */
function numaInfo(details: MachineDetails | undefined) {
  const nodes = details?.numaNodes ?? [];
  return make('HostNumaInfo', {
    type: nodes.length > 0 ? 'NUMA' : 'None',
    numNodes: nodes.length,
    numaNode: nodes.flatMap(({ id, cpus, memoryBytes, memoryStart }) =>
      memoryStart === undefined
        ? []
        : make('HostNumaNode', {
            typeId: id,
            cpuID: [...cpus],
            memorySize: memoryBytes,
            memoryRangeBegin: memoryStart,
            memoryRangeLength: memoryBytes,
          }),
    ),
  });
}

function pciDevice(device: PciDevice): HostPciDevice {
  const [bus = 0, slot = 0, fn = 0] = device.address
    .split(/[:.]/)
    .slice(1)
    .map((part) => Number.parseInt(part, 16));
  return make('HostPciDevice', {
    id: device.address,
    classId: short(device.classId),
    bus,
    slot,
    function: fn,
    vendorId: short(device.vendorId),
    subVendorId: short(device.subVendorId),
    vendorName: device.vendorName ?? `Vendor ${hex(device.vendorId)}`,
    deviceId: short(device.deviceId),
    subDeviceId: short(device.subDeviceId),
    deviceName: device.deviceName ?? `Device ${hex(device.deviceId)}`,
  });
}

/** The schema has signed 16-bit numbers here: 0x8086 is -32634, as from ESXi. */
function short(value: number): number {
  return (value << 16) >> 16;
}

function hex(id: number): string {
  return id.toString(16).padStart(4, '0');
}
