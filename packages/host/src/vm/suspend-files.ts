// The files that suspended guests lie in.
import { rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MethodFault, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { fileFault } from '../datastore/file-faults.ts';
import { subjectOf } from './vm-files.ts';
import type { VmHost } from './vm-host.ts';

export interface SuspendPlace {
  readonly host: VmHost;
  readonly id: string;
  readonly vmxFile: string;
}

/** Name of the file that the VM suspends into, as VMware names it. */
export function suspendName(vmxFile: string, { uuid }: VirtualMachineConfigInfo): string {
  return `${basename(vmxFile, '.vmx')}-${uuid.slice(0, 8)}.vmss`;
}

/** Absolute path of a suspend state. */
export function suspendFile({ vmxFile }: SuspendPlace, name: string): string {
  return join(dirname(vmxFile), name);
}

export async function hasSuspendFile(place: SuspendPlace, name: string): Promise<boolean> {
  return stat(suspendFile(place, name)).then(
    (info) => info.isFile(),
    () => false,
  );
}

/** Throws FileNotFound. */
export async function checkSuspendFile(place: SuspendPlace, name: string): Promise<void> {
  if (await hasSuspendFile(place, name)) return;
  throw new MethodFault('FileNotFound', { file: subjectOf(place.host, suspendFile(place, name)).file });
}

/** Never throws: a state that nothing names does no harm. */
export async function removeSuspendFile(place: SuspendPlace, name: string): Promise<void> {
  await rm(suspendFile(place, name), { force: true }).catch((error: unknown) => {
    place.host.log.warn({ vm: place.id, file: name, err: error }, 'a suspend state could not be removed');
  });
}

/** Why a state could not be written: NoDiskSpace when QEMU, or the system, says so. */
export function suspendFault(place: SuspendPlace, name: string, error: unknown): unknown {
  const subject = subjectOf(place.host, suspendFile(place, name));
  const isFull = error instanceof Error && /no space left on device/i.test(error.message);
  return isFull ? new MethodFault('NoDiskSpace', subject, undefined, { cause: error }) : fileFault(error, subject);
}
