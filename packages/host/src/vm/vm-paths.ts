// Which files are a VM's.
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isA, type VirtualMachineConfigInfo } from '@vivarium/vim';

/** Datastore paths of the descriptors of a VM's disks. Pure. */
export function diskPaths(config: VirtualMachineConfigInfo): string[] {
  return (config.hardware.device ?? []).flatMap((device) =>
    isA('VirtualDisk', device) && isA('VirtualDeviceFileBackingInfo', device.backing) ? [device.backing.fileName] : [],
  );
}

/** The VM's files beside its disks, absolute, by the names that are given to them. What a user put there is not among them. */
export async function ownFiles(vmxFile: string, config: VirtualMachineConfigInfo): Promise<string[]> {
  const folder = dirname(vmxFile);
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => isOwnFile(name, basename(vmxFile, '.vmx'), config)).map((name) => join(folder, name));
}

function isOwnFile(name: string, stem: string, config: VirtualMachineConfigInfo): boolean {
  if (/^vmware(-\d+|-monitor)?\.log(\.\d+)?$/.test(name)) return true;
  if (config.extraConfig?.some(({ key, value }) => key.toLowerCase() === 'nvram' && value === name)) return true;
  if (!name.startsWith(stem)) return false;
  const rest = name.slice(stem.length);
  return /^\.(vmx|nvram|vmsd|vmxf|vmss)$/.test(rest) || /^-[0-9a-f]{8}\.vmss$/.test(rest) || /^-\d+\.png$/.test(rest);
}
