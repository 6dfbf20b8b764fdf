// Datastore paths (`[datastore1] web/web.vmdk`) and how a VMX names the same files: relative to its own folder, or below
// /vmfs/volumes. Text only; whether a path may be opened is the datastore's decision.
import type { MoRef } from '@vivarium/vim';
import type { DatastoreFacts } from '../environment.ts';

export interface DatastorePath {
  readonly datastore: string;
  /** Without a leading slash; empty = the datastore's root. */
  readonly path: string;
}

export function parseDatastorePath(text: string): DatastorePath | undefined {
  const match = /^\[([^\]]*)\]\s?(.*)$/s.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { datastore: match[1], path: match[2].trim() };
}

export function formatDatastorePath({ datastore, path }: DatastorePath): string {
  return path === '' ? `[${datastore}]` : `[${datastore}] ${path}`;
}

/** The folder of a file: `[ds] web/web.vmx` -> `{ datastore: 'ds', path: 'web' }`. */
export function folderOf(path: DatastorePath): DatastorePath {
  const slash = path.path.lastIndexOf('/');
  return { datastore: path.datastore, path: slash < 0 ? '' : path.path.slice(0, slash) };
}

export function joinPath(folder: DatastorePath, name: string): string {
  return formatDatastorePath({
    datastore: folder.datastore,
    path: folder.path === '' ? name : `${folder.path}/${name}`,
  });
}

/** A canonical datastore path: no empty, `.` or `..` segments; `undefined` when it leaves the datastore. */
export function normalizeDatastorePath(text: string): string | undefined {
  const parsed = parseDatastorePath(text);
  if (!parsed) return undefined;
  const segments: string[] = [];
  for (const segment of parsed.path.split('/')) {
    if (segment === '..' && segments.pop() === undefined) return undefined;
    if (segment !== '' && segment !== '.' && segment !== '..') segments.push(segment);
  }
  return formatDatastorePath({ datastore: parsed.datastore, path: segments.join('/') });
}

const VOLUMES = '/vmfs/volumes/';

/** VMX file name -> datastore path. What lies on no datastore comes out as `[] /absolute/path`, as in ESXi. */
export function pathFromVmx(name: string, vmPathName: string, datastores: readonly DatastoreFacts[]): string {
  if (name === '') return '';
  if (name.startsWith('[')) return normalizeDatastorePath(name) ?? `[] ${name}`;
  if (name.startsWith(VOLUMES)) {
    const [volume = '', ...rest] = name.slice(VOLUMES.length).split('/');
    const found = datastores.find((datastore) => datastore.name === volume || datastore.volumeNames.includes(volume));
    return (found && normalizeDatastorePath(`[${found.name}] ${rest.join('/')}`)) ?? `[] ${name}`;
  }
  const isForeign = name.startsWith('/') || /^[a-z]:[\\/]/i.test(name);
  const home = parseDatastorePath(vmPathName);
  if (isForeign || !home) return `[] ${name}`;
  return normalizeDatastorePath(joinPath(folderOf(home), name)) ?? `[] ${name}`;
}

/** Datastore path -> VMX file name: relative when the file is in (or below) the VM's own folder. */
export function pathToVmx(path: string, vmPathName: string): string {
  const file = parseDatastorePath(path);
  const home = parseDatastorePath(vmPathName);
  if (!file || !home) return path;
  if (file.datastore === '') return file.path;
  const folder = folderOf(home);
  const prefix = folder.path === '' ? '' : `${folder.path}/`;
  if (file.datastore === folder.datastore && file.path.startsWith(prefix)) return file.path.slice(prefix.length);
  return `${VOLUMES}${file.datastore}/${file.path}`;
}

export function datastoreRefOf(path: string, datastores: readonly DatastoreFacts[]): MoRef<'Datastore'> | undefined {
  const name = parseDatastorePath(path)?.datastore;
  return datastores.find((datastore) => datastore.name === name)?.ref;
}
