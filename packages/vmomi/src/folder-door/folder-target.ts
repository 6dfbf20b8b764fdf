// What a URL below /folder names: `/folder/<path>?dcPath=<inventory path>&dsName=<datastore>`. Pure.

export interface FolderPlace {
  /** null: left out. */
  readonly dcPath: string | null;
  readonly datastore: string;
  /** Decoded, without `.`, `..` and empty parts. */
  readonly path: string;
}

export type FolderTarget =
  | { readonly kind: 'datacenters' }
  | { readonly kind: 'datastores'; readonly dcPath: string }
  | ({ readonly kind: 'place' } & FolderPlace);

/** `url`: path and query as they came. Undefined when it is malformed or leads out of the datastore. */
export function parseFolderTarget(url: string): FolderTarget | undefined {
  const question = url.indexOf('?');
  const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
  const path = decodedPath((question < 0 ? url : url.slice(0, question)).replace(/^\/folder\/?/, ''));
  if (path === undefined) return undefined;
  const dcPath = query.get('dcPath');
  const datastore = query.get('dsName');
  if (datastore) return { kind: 'place', dcPath, datastore, path };
  if (path !== '') return undefined;
  return dcPath === null ? { kind: 'datacenters' } : { kind: 'datastores', dcPath };
}

/** The URL of a place, with everything percent-encoded that has to be. */
export function folderUrl(datacenter: string, datastore?: string, path = ''): string {
  const place = path === '' ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`;
  const query = `dcPath=${encodeURIComponent(datacenter)}`;
  return datastore === undefined
    ? `/folder?${query}`
    : `/folder${place}?${query}&dsName=${encodeURIComponent(datastore)}`;
}

/** A part that is `..` never gets to a host: its URL would be another one. */
function decodedPath(path: string): string | undefined {
  try {
    const parts = decodeURIComponent(path).split('/');
    if (parts.includes('..')) return undefined;
    return parts.filter((part) => part !== '' && part !== '.').join('/');
  } catch {
    return undefined;
  }
}
