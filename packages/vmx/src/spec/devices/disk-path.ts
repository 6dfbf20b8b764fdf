// Names of disk files: given, or generated as vSphere does (`web.vmdk`, `web_1.vmdk`, …).
import { folderOf, joinPath, normalizeDatastorePath, parseDatastorePath } from '../../config/datastore-path.ts';
import type { DeviceChange, DeviceDraft } from '../device-draft.ts';
import { deviceFault } from '../device-fault.ts';

const MAX_TRIES = 10_000;

/**
 * Datastore path of the descriptor that the spec means. Empty or only `[datastore]` = generate one: in the VM's folder, on
 * another datastore in a folder of the same name. Throws InvalidDeviceBacking for what is not a descriptor's path.
 */
export function diskPath(fileName: string, { index }: DeviceChange, draft: DeviceDraft): string {
  const { vmPathName, env } = draft.settings;
  const home = parseDatastorePath(vmPathName) ?? { datastore: env.defaultDatastore, path: '' };
  const given = parseDatastorePath(fileName.trim() === '' ? `[${home.datastore}]` : fileName);
  const canonical = given && normalizeDatastorePath(fileName.trim() === '' ? `[${home.datastore}]` : fileName);
  if (!given || canonical === undefined || !env.datastores.some(({ name }) => name === given.datastore)) {
    throw deviceFault('InvalidDeviceBacking', index, 'device.backing.fileName');
  }
  if (given.path !== '') {
    if (!/[^/]\.vmdk$/i.test(canonical)) throw deviceFault('InvalidDeviceBacking', index, 'device.backing.fileName');
    return canonical;
  }
  const folder = { datastore: given.datastore, path: folderOf(home).path };
  const stem =
    home.path
      .split('/')
      .at(-1)
      ?.replace(/\.vm(x|tx)$/i, '') || 'disk';
  for (let number = 0; number < MAX_TRIES; number++) {
    const path = joinPath(folder, `${stem}${number === 0 ? '' : `_${number}`}.vmdk`);
    if (!draft.usesFile(path) && !env.exists(path)) return path;
  }
  throw deviceFault('InvalidDeviceBacking', index, 'device.backing.fileName');
}
