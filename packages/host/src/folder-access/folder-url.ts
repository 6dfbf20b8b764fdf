// What a URL below /folder names: `/folder/<path>?dcPath=<datacenter>&dsName=<datastore>`. Pure.
import { MethodFault } from '@vivarium/vim';
import { normalizeRelative } from '../datastore/datastore-path.ts';
import { decodePath } from '../datastore/datastores.ts';

export type FolderTarget =
  | { readonly kind: 'datacenters' }
  | { readonly kind: 'datastores' }
  | { readonly kind: 'place'; readonly datastore: string; readonly path: string };

/** `url`: path and query as they came. Faults: InvalidDatastorePath (malformed, or leads out), FileNotFound (another datacenter). */
export function parseFolderUrl(url: string, datacenter: string): FolderTarget {
  const question = url.indexOf('?');
  const path = question < 0 ? url : url.slice(0, question);
  const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
  const text = decodePath(path.replace(/^\/folder\/?/, ''), url);
  const dcPath = query.get('dcPath');
  if (dcPath !== null && !isDatacenter(dcPath, datacenter)) throw new MethodFault('FileNotFound', { file: dcPath });
  const dsName = query.get('dsName');
  if (dsName) return { kind: 'place', datastore: dsName, path: normalizeRelative(text, `[${dsName}] ${text}`) };
  if (text !== '') throw new MethodFault('FileNotFound', { file: text });
  return { kind: dcPath === null ? 'datacenters' : 'datastores' };
}

/** The URL of a place, with everything percent-encoded that has to be. */
export function folderUrl(datacenter: string, datastore?: string, path = ''): string {
  const place = path === '' ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`;
  const query = `dcPath=${encodeURIComponent(datacenter)}`;
  return datastore === undefined
    ? `/folder?${query}`
    : `/folder${place}?${query}&dsName=${encodeURIComponent(datastore)}`;
}

// Clients name it by inventory path, some encode it twice, and host clients may leave it empty.
function isDatacenter(dcPath: string, datacenter: string): boolean {
  const plain = dcPath.replace(/^\/+|\/+$/g, '').replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  return plain === '' || plain === datacenter;
}
