// What of the machine's hardware administrators look up and nothing here depends on: NUMA nodes, PCI devices, firmware.
import type { MachineFiles } from './machine-files.ts';

export interface MachineDetails {
  readonly numaNodes: readonly NumaNode[];
  readonly pciDevices: readonly PciDevice[];
  /** dateTime. */
  readonly firmwareDate?: string | undefined;
  readonly firmwareVendor?: string | undefined;
  readonly firmwareType: 'BIOS' | 'UEFI';
  readonly hyperThreading: { readonly isAvailable: boolean; readonly isActive: boolean };
  /** How the kernel chooses the processors' frequency; undefined when it cannot. */
  readonly frequencyGovernor?: string | undefined;
}

export interface NumaNode {
  readonly id: number;
  readonly cpus: readonly number[];
  readonly memoryBytes: number;
  /** First byte of its memory; undefined when the kernel does not say. */
  readonly memoryStart?: number | undefined;
}

export interface PciDevice {
  /** `0000:00:02.0`. */
  readonly address: string;
  readonly classId: number;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly subVendorId: number;
  readonly subDeviceId: number;
  readonly vendorName?: string | undefined;
  readonly deviceName?: string | undefined;
}

const NODES = '/sys/devices/system/node';
const PCI = '/sys/bus/pci/devices';
const PCI_NAMES = '/usr/share/misc/pci.ids';
const SMT = '/sys/devices/system/cpu/smt';

export function readMachineDetails(files: MachineFiles): MachineDetails {
  const smt = files.text(`${SMT}/control`) ?? 'notsupported';
  return {
    numaNodes: files
      .list(NODES)
      .filter((name) => /^node\d+$/.test(name))
      .map((name) => readNode(files, Number(name.slice('node'.length))))
      .toSorted((a, b) => a.id - b.id),
    pciDevices: readPciDevices(files),
    firmwareDate: firmwareDate(files.text('/sys/class/dmi/id/bios_date')),
    firmwareVendor: files.text('/sys/class/dmi/id/bios_vendor'),
    firmwareType: files.list('/sys/firmware/efi').length > 0 ? 'UEFI' : 'BIOS',
    hyperThreading: {
      isAvailable: smt !== 'notsupported' && smt !== 'notimplemented',
      isActive: files.text(`${SMT}/active`) === '1',
    },
    frequencyGovernor: files.text('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
  };
}

function readNode(files: MachineFiles, id: number): NumaNode {
  const folder = `${NODES}/node${id}`;
  const kilobytes = /MemTotal:\s+(\d+) kB/.exec(files.text(`${folder}/meminfo`) ?? '')?.[1];
  const blockBytes = Number.parseInt(files.text('/sys/devices/system/memory/block_size_bytes') ?? '', 16);
  const blocks = files.list(folder).flatMap((name) => Number(/^memory(\d+)$/.exec(name)?.[1] ?? Number.NaN));
  const first = Math.min(...blocks.filter((block) => !Number.isNaN(block)));
  return {
    id,
    cpus: parseCpuList(files.text(`${folder}/cpulist`) ?? ''),
    memoryBytes: Number(kilobytes ?? 0) * 1024,
    memoryStart: Number.isFinite(first * blockBytes) ? first * blockBytes : undefined,
  };
}

/** `0-3,8` → 0, 1, 2, 3, 8. */
export function parseCpuList(text: string): number[] {
  return text
    .split(',')
    .filter(Boolean)
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

function readPciDevices(files: MachineFiles): PciDevice[] {
  const names = files.text(PCI_NAMES) ?? '';
  return files.list(PCI).map((address) => {
    const number = (file: string) => Number(files.text(`${PCI}/${address}/${file}`) ?? 0);
    const [vendorId, deviceId] = [number('vendor'), number('device')];
    return {
      address,
      // Class and subclass; the third byte is the programming interface.
      classId: number('class') >> 8,
      vendorId,
      deviceId,
      subVendorId: number('subsystem_vendor'),
      subDeviceId: number('subsystem_device'),
      ...pciNames(names, vendorId, deviceId),
    };
  });
}

// Lines of pci.ids: `8086  Intel Corporation`, and below it `\t0d57  Some bridge`.
function pciNames(names: string, vendorId: number, deviceId: number): Pick<PciDevice, 'vendorName' | 'deviceName'> {
  const hex = (id: number) => id.toString(16).padStart(4, '0');
  const vendor = new RegExp(`^${hex(vendorId)}  (.*)$`, 'm').exec(names);
  if (!vendor) return {};
  const rest = names.slice(vendor.index + vendor[0].length);
  const end = /^[0-9a-fC]/m.exec(rest)?.index ?? rest.length;
  const device = new RegExp(`^\t${hex(deviceId)}  (.*)$`, 'm').exec(rest.slice(0, end));
  return { vendorName: vendor[1], deviceName: device?.[1] };
}

/** DMI writes MM/DD/YYYY. */
function firmwareDate(text: string | undefined): string | undefined {
  const [, month, day, year] = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text ?? '') ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}T00:00:00Z`;
}
