// From a VM's configuration to the order to start it: opens its disks, looks where its images lie.
import { dirname, join, relative } from 'node:path';
import { isA, MethodFault, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { machineFromConfig, type ResolvedDisk } from '@vivarium/vmx';
import { MEDIA_FOLDER, mediaName } from './qemu/run-folder.ts';
import type { OpenDisk, VmHost } from './vm-host.ts';
import type { Hardware, NicPort } from './vmm.ts';

/** The machine that `config` describes, with its files opened. Throws FileNotFound and its kin when one is missing. */
export async function describeHardware(
  host: VmHost,
  vmxFile: string,
  config: VirtualMachineConfigInfo,
): Promise<Hardware> {
  const folder = dirname(vmxFile);
  const disks = await openDisks(host, config);
  const images = new Map<string, string>();
  const writable = new Set<string>();
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
    resolveDisk(path): ResolvedDisk {
      const disk = disks.get(path);
      if (!disk) throw new MethodFault('FileNotFound', { file: path });
      writable.add(disk.file);
      return {
        file: inJail(disk.file),
        format: disk.format,
        backing: disk.backing.map((layer) => ({ file: inJail(layer.file), format: layer.format })),
      };
    },
    resolveFile(path): string {
      return inJail(host.paths.resolve(path));
    },
    serialSocket: (deviceId) => join('/run/vm', `${deviceId}.sock`),
  });
  const onHost = (file: string) => images.get(file) ?? join(folder, file);
  for (const serial of machine.serials) {
    if (serial.backing.kind === 'file') writable.add(onHost(serial.backing.file));
  }
  if (machine.firmware.kind === 'efi') writable.add(join(folder, machine.firmware.nvram));
  return { machine, images, writableFiles: [...writable], networks: switchPorts(config) };
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

// Switch ports of the machine's NICs, by nic id (`nic-<device key>`).
function switchPorts(config: VirtualMachineConfigInfo): Map<string, NicPort> {
  const networks = new Map<string, NicPort>();
  for (const device of config.hardware.device ?? []) {
    if (!isA('VirtualEthernetCard', device)) continue;
    if (!isA('VirtualEthernetCardNetworkBackingInfo', device.backing)) continue;
    networks.set(`nic-${device.key}`, {
      portKey: portKey(config, device.key),
      mac: (device.macAddress ?? '').toLowerCase(),
      portGroup: device.backing.deviceName,
    });
  }
  return networks;
}

/** Absolute paths of the files that the machine opens. Pure. */
export function openFiles(hardware: Hardware): string[] {
  return [...hardware.writableFiles, ...hardware.images.values()];
}

/** Names a NIC's switch port across restarts. */
export function portKey(config: VirtualMachineConfigInfo, deviceKey: number): string {
  return `${config.uuid}-${deviceKey}`;
}
