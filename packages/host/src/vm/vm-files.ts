// The VM's folder as its configuration's home: reading and writing the .vmx, which is the authority.
import { constants } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeDurable } from '@vivarium/base/node';
import { MethodFault, type VirtualMachineConfigInfo } from '@vivarium/vim';
import {
  configFromVmx,
  DEFAULT_VMX_LIMITS,
  formatVmx,
  parseVmx,
  type VmxFile,
  VmxSyntaxError,
  vmxFromConfig,
} from '@vivarium/vmx';
import { parseDatastorePath } from '../datastore/datastore-path.ts';
import { type FileSubject, withFileFaults } from '../datastore/file-faults.ts';
import type { VmHost } from './vm-host.ts';

/** A .vmx larger than this is neither read nor written. */
const MAX_BYTES = DEFAULT_VMX_LIMITS.bytes;

/** Reads a .vmx. Throws InvalidVmConfig when it is not one, FileNotFound when it is not there. */
export async function readVmx(host: VmHost, vmxFile: string): Promise<VirtualMachineConfigInfo> {
  const subject = subjectOf(host, vmxFile);
  const { content, modified } = await withFileFaults(subject, () => readContent(vmxFile, subject));
  return configFromVmx(parse(content), { ...host.surroundings(), vmPathName: subject.file, modified });
}

/** Writes the configuration; when this returns it is on disk, whole. Faults: NoDiskSpace … */
export async function writeVmx(host: VmHost, vmxFile: string, config: VirtualMachineConfigInfo): Promise<void> {
  await writeText(host, vmxFile, formatVmx(vmxFromConfig(config)));
}

/**
 * As writeVmx, in place of `before`, which is on disk. Nothing is written when both are the same text: power operations change
 * little that is kept. When it fails `before` is on disk as well as it can be.
 */
export async function replaceVmx(
  host: VmHost,
  vmxFile: string,
  next: VirtualMachineConfigInfo,
  before: VirtualMachineConfigInfo,
): Promise<void> {
  const text = formatVmx(vmxFromConfig(next));
  const former = formatVmx(vmxFromConfig(before));
  if (text === former) return;
  try {
    await writeText(host, vmxFile, text);
  } catch (error) {
    // It may have failed after the new file had its name. Without room for a second file the old one was not touched.
    await writeText(host, vmxFile, former).catch(() => undefined);
    throw error;
  }
}

async function writeText(host: VmHost, vmxFile: string, text: string): Promise<void> {
  const subject = subjectOf(host, vmxFile);
  const content = Buffer.from(text);
  if (content.length > MAX_BYTES) throw new MethodFault('FileTooLarge', { ...subject, fileSize: content.length });
  await withFileFaults(subject, () => writeDurable(vmxFile, content, 0o644));
}

/** Removes what writing that .vmx may have left when hostd was killed meanwhile. */
export async function sweepVmx(vmxFile: string): Promise<void> {
  const folder = dirname(vmxFile);
  const stem = basename(vmxFile);
  for (const name of await readdir(folder).catch(() => [])) {
    const isLeftOver = name.startsWith(`${stem}.`) && /^\.\d+\.new$/.test(name.slice(stem.length));
    if (isLeftOver) await rm(join(folder, name), { force: true });
  }
}

/** A file of the host as the faults about it name it. */
export function subjectOf(host: VmHost, absolute: string): FileSubject {
  const file = host.paths.format(absolute);
  return { file, datastore: parseDatastorePath(file).datastore };
}

async function readContent(file: string, subject: FileSubject): Promise<{ content: Uint8Array; modified: string }> {
  // A VMM may have put anything into its folder: links are not followed, a pipe is not waited for.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size, mtime } = await handle.stat();
    if (size > MAX_BYTES) throw new MethodFault('FileTooLarge', { ...subject, fileSize: size });
    return { content: await handle.readFile(), modified: mtime.toISOString() };
  } finally {
    await handle.close();
  }
}

function parse(content: Uint8Array): VmxFile {
  try {
    return parseVmx(content);
  } catch (error) {
    if (!(error instanceof VmxSyntaxError)) throw error;
    throw new MethodFault('InvalidVmConfig', { property: '' }, error.message);
  }
}
