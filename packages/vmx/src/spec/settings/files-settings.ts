// The `files` of a spec: where a VM lies is decided once, when it is made.
import { MethodFault, type VirtualMachineConfigInfo, type VirtualMachineConfigSpec } from '@vivarium/vim';
import { folderOf, normalizeDatastorePath, parseDatastorePath } from '../../config/datastore-path.ts';
import { invalidArgument } from '../invalid-argument.ts';

/** A VM is one folder: its snapshots, suspend state and logs are in it. Other directories are refused, not forgotten. */
export function checkFiles(current: VirtualMachineConfigInfo | undefined, spec: VirtualMachineConfigSpec): void {
  const { files } = spec;
  if (!files) return;
  if (current && files.vmPathName && normalizeDatastorePath(files.vmPathName) !== current.files.vmPathName) {
    throw invalidArgument('files.vmPathName');
  }
  const home = current?.files.vmPathName ?? files.vmPathName;
  for (const directory of [files.snapshotDirectory, files.suspendDirectory, files.logDirectory]) {
    if (directory && !isHome(directory, home)) {
      throw new MethodFault('NotSupported', {}, 'The files of a virtual machine are kept in one folder.');
    }
  }
}

function isHome(directory: string, vmPathName: string | undefined): boolean {
  const vmx = parseDatastorePath(vmPathName ?? '');
  const wanted = normalizeDatastorePath(directory);
  const parsed = wanted === undefined ? undefined : parseDatastorePath(wanted);
  if (!parsed) return false;
  if (!vmx) return parsed.path === '';
  return parsed.datastore === vmx.datastore && (parsed.path === '' || parsed.path === folderOf(vmx).path);
}
