// From a VM's configuration to the order to start it: opens its disks, looks where its images lie.
import { dirname, join, relative } from 'node:path';
import type { Machine } from '@vivarium/qemu/machine';
import { isA, MethodFault, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { machineFromConfig } from '@vivarium/vmx';
import { MEDIA_FOLDER, mediaName, serialSocketName } from './qemu/run-folder.ts';
import type { OpenDisk, VmHost } from './vm-host.ts';
import type { Hardware, NicPort } from './vmm.ts';

/** The VM that a machine is of. */
export interface HardwareOwner {
  readonly host: VmHost;
  readonly id: string;
  readonly vmxFile: string;
}

/** The machine that `config` describes, with its files opened. Throws FileNotFound and its kin when one is missing. */
export async function describeHardware(
  { host, id, vmxFile }: HardwareOwner,
  config: VirtualMachineConfigInfo,
): Promise<Hardware> {
  const folder = dirname(vmxFile);
  const disks = await openDisks(host, config);
  const images = new Map<string, string>();
  // What lies in the VM's folder is named by its name there; the rest as it appears in the jail (see run-folder.ts).
  const inJail = (absolute: string): string => {
    const inside = relative(folder, absolute);
    if (!inside.startsWith('..')) return inside;
    const name = join(MEDIA_FOLDER, mediaName(absolute));
    images.set(name, absolute);
    return name;
  };
  const machine = machineFromConfig(config, {
    machineTypes: host.machineTypes,
    limits: host.limits,
    cpuModel: host.cpuModel,
    resolveDisk(path) {
      const disk = disks.get(path);
      if (!disk) throw new MethodFault('FileNotFound', { file: path });
      return {
        file: inJail(disk.file),
        format: disk.format,
        backing: disk.backing.map((layer) => ({ file: inJail(layer.file), format: layer.format })),
      };
    },
    resolveFile: (path) => inJail(host.paths.resolve(path)),
    serialSocket: serialSocketName,
  });
  const onHost = (file: string) => images.get(file) ?? join(folder, file);
  return {
    machine,
    images,
    writableFiles: writableFiles(machine).map(onHost),
    networks: switchPorts(id, config),
  };
}

async function openDisks(host: VmHost, config: VirtualMachineConfigInfo): Promise<Map<string, OpenDisk>> {
  const opened = new Map<string, OpenDisk>();
  for (const device of config.hardware.device ?? []) {
    if (!isA('VirtualDisk', device) || !isA('VirtualDeviceFileBackingInfo', device.backing)) continue;
    const path = device.backing.fileName;
    opened.set(path, await host.disks.open(path));
  }
  return opened;
}

/** Files that the machine writes to, as it names them. Pure. */
function writableFiles({ disks, floppies, serials, firmware }: Machine): string[] {
  return [
    ...disks.map(({ file }) => file),
    ...floppies.flatMap(({ file, readOnly }) => (file === undefined || readOnly ? [] : [file])),
    ...serials.flatMap(({ backing }) => (backing.kind === 'file' ? [backing.file] : [])),
    ...(firmware.kind === 'efi' ? [firmware.nvram] : []),
  ];
}

/** Switch ports of the machine's NICs, by nic id (`nic-<device key>`). Pure. */
export function switchPorts(id: string, config: VirtualMachineConfigInfo): Map<string, NicPort> {
  const networks = new Map<string, NicPort>();
  for (const device of config.hardware.device ?? []) {
    if (!isA('VirtualEthernetCard', device)) continue;
    if (!isA('VirtualEthernetCardNetworkBackingInfo', device.backing)) continue;
    networks.set(`nic-${device.key}`, {
      portKey: portKey(id, device.key),
      mac: (device.macAddress ?? '').toLowerCase(),
      portGroup: device.backing.deviceName,
    });
  }
  return networks;
}

/** Absolute paths of the files that the machine opens. Pure. */
export function openFiles(vmxFile: string, { machine, images, writableFiles }: Hardware): string[] {
  const folder = dirname(vmxFile);
  const read = [
    ...machine.disks.flatMap(({ backing }) => backing.map(({ file }) => file)),
    ...machine.cdroms.flatMap(({ file }) => file ?? []),
    ...machine.floppies.flatMap(({ file }) => file ?? []),
  ].filter((file) => !images.has(file));
  return [...new Set([...writableFiles, ...images.values(), ...read.map((file) => join(folder, file))])];
}

/** Names a NIC's switch port across restarts. By the VM's id here: copies of a VM have one uuid. */
export function portKey(id: string, deviceKey: number): string {
  return `${id}-${deviceKey}`;
}
