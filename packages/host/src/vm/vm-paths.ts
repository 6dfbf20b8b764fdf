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

/** What a VM's file beside its disks is, as FileLayoutEx names it. */
export type OwnFileType = 'config' | 'extendedConfig' | 'nvram' | 'log' | 'snapshotList' | 'suspend' | 'screenshot';

/** The VM's files beside its disks, absolute, by the names that are given to them. What a user put there is not among them. */
export async function ownFiles(
  vmxFile: string,
  config: VirtualMachineConfigInfo,
): Promise<{ readonly file: string; readonly type: OwnFileType }[]> {
  const folder = dirname(vmxFile);
  const stem = basename(vmxFile, '.vmx');
  const names = await readdir(folder).catch(() => []);
  return names.toSorted().flatMap((name) => {
    const type = name === basename(vmxFile) ? 'config' : ownFileType(name, stem, config);
    return type ? [{ file: join(folder, name), type }] : [];
  });
}

/** What a file in the VM's folder is by its name; `undefined` for one that the VM has not put there. Pure. */
export function ownFileType(name: string, stem: string, config: VirtualMachineConfigInfo): OwnFileType | undefined {
  if (/^vmware(-\d+|-monitor)?\.log(\.\d+)?$/.test(name)) return 'log';
  if (config.extraConfig?.some(({ key, value }) => key.toLowerCase() === 'nvram' && value === name)) return 'nvram';
  if (!name.startsWith(stem)) return undefined;
  const rest = name.slice(stem.length);
  if (/^-[0-9a-f]{8}\.vmss$/.test(rest)) return 'suspend';
  if (/^-\d+\.png$/.test(rest)) return 'screenshot';
  return types[rest];
}

const types: Readonly<Record<string, OwnFileType>> = {
  '.vmx': 'config',
  '.vmxf': 'extendedConfig',
  '.nvram': 'nvram',
  '.vmsd': 'snapshotList',
  '.vmss': 'suspend',
};
