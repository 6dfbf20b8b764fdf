// The VM's folder as its configuration's home: reading and writing the .vmx, which is the authority.
import { open, stat } from 'node:fs/promises';
import { writeDurable } from '@vivarium/base/node';
import { MethodFault, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { configFromVmx, formatVmx, parseVmx, vmxFromConfig } from '@vivarium/vmx';
import type { VmHost } from './vm-host.ts';

/** A .vmx larger than this is refused unread. */
const MAX_VMX_BYTES = 1 << 20;

/** Reads a .vmx. Throws InvalidVmConfig faults when it is not one, FileNotFound when it is not there. */
export async function readVmx(host: VmHost, vmxFile: string): Promise<VirtualMachineConfigInfo> {
  const path = host.paths.format(vmxFile);
  const text = await readText(vmxFile, path);
  const modified = (await stat(vmxFile)).mtime.toISOString();
  return configFromVmx(parseVmx(text), { ...host.surroundings(), vmPathName: path, modified });
}

/** Writes the configuration; when this returns it is on disk, whole. */
export async function writeVmx(vmxFile: string, config: VirtualMachineConfigInfo): Promise<void> {
  await writeDurable(vmxFile, formatVmx(vmxFromConfig(config)), 0o644);
}

async function readText(file: string, path: string): Promise<string> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new MethodFault('FileNotFound', { file: path });
  }
  try {
    if ((await handle.stat()).size > MAX_VMX_BYTES)
      throw new MethodFault('FileTooLarge', { file: path, datastore: '', fileSize: 0 });
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
