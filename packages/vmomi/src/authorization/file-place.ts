// Which datastore a client names, and where on it. Pure.

export interface FilePlace {
  /** A name, or what stands for the datastore in its URL (its UUID). */
  readonly datastore: string;
  /** As it was written, URLs decoded. */
  readonly path: string;
}

/**
 * `[name] path`, `ds:///vmfs/volumes/<uuid>/path`, `/vmfs/volumes/<uuid or name>/path`, or the URL of a file under `/folder`;
 * undefined when it is none of them. Who checks and who opens have to understand the same: both ask here.
 */
export function filePlace(text: string): FilePlace | undefined {
  const [, volume, below = ''] = /^(?:ds:\/\/)?\/vmfs\/volumes\/([^/]+)\/*(.*)$/s.exec(text) ?? [];
  if (volume !== undefined) return { datastore: volume, path: below };
  if (/^https?:\/\//i.test(text)) return urlPlace(text);
  const [, name = '', path = ''] = /^\s*\[([^\]]*)\](.*)$/s.exec(text) ?? [];
  return name.trim() === '' ? undefined : { datastore: name.trim(), path: path.trim() };
}

function urlPlace(text: string): FilePlace | undefined {
  const url = URL.parse(text);
  const datastore = url?.searchParams.get('dsName');
  const match = /^\/folder(?:\/(.*))?$/s.exec(url?.pathname ?? '');
  if (!datastore || !match) return undefined;
  try {
    return { datastore, path: decodeURIComponent(match[1] ?? '') };
  } catch {
    return undefined;
  }
}
