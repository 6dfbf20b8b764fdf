// Where a new VM's files go.
import { MethodFault } from '@vivarium/vim';
import { formatDatastorePath, normalizeDatastorePath, parseDatastorePath } from '../../config/datastore-path.ts';
import type { SpecEnvironment } from '../../environment.ts';
import { fileNameOf } from './vm-name.ts';

const MAX_TRIES = 10_000;

/**
 * Datastore path of the VMX. `[ds]` (or nothing) = a new folder named after the VM, `name_1` when that is taken; `[ds] folder/`
 * = a file named after the VM in it; `[ds] folder/x.vmx` = that file. Throws InvalidDatastorePath or FileAlreadyExists.
 */
export function newVmPath(vmPathName: string | undefined, name: string, env: SpecEnvironment): string {
  const given = vmPathName?.trim() || `[${env.defaultDatastore}]`;
  const parsed = parseDatastorePath(given);
  const canonical = normalizeDatastorePath(given);
  const isKnown = env.datastores.some((datastore) => datastore.name === parsed?.datastore);
  if (!parsed || canonical === undefined || !isKnown)
    throw new MethodFault('InvalidDatastorePath', { datastorePath: given });
  const stem = fileNameOf(name);
  const path = parseDatastorePath(canonical)?.path ?? '';
  if (path === '') return freeFolder(parsed.datastore, stem, env);
  const file = /\.vmx$/i.test(path) && !given.endsWith('/') ? path : `${path}/${stem}.vmx`;
  // A VM's folder is its own: it is deleted with it.
  if (!file.includes('/')) throw new MethodFault('InvalidDatastorePath', { datastorePath: given });
  const result = formatDatastorePath({ datastore: parsed.datastore, path: file });
  if (env.exists(result)) throw new MethodFault('FileAlreadyExists', { file: result });
  return result;
}

function freeFolder(datastore: string, stem: string, env: SpecEnvironment): string {
  for (let number = 0; number < MAX_TRIES; number++) {
    const folder = number === 0 ? stem : `${stem}_${number}`;
    if (!env.exists(formatDatastorePath({ datastore, path: folder }))) {
      return formatDatastorePath({ datastore, path: `${folder}/${stem}.vmx` });
    }
  }
  throw new MethodFault('InvalidDatastorePath', { datastorePath: `[${datastore}] ${stem}` });
}
