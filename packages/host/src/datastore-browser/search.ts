// A search as the client wrote it, against the entries of one folder: which of them are told, and what of each. Pure.
import { type FileInfo, type HostDatastoreBrowserSearchSpec, isA, make, type VmDiskFileQuery } from '@vivarium/vim';
import { type DiskDetails, diskDetails, flaggedDetails, passesFilter } from './disk-file-info.ts';
import { type FileInfoType, fileInfoType, queryAsksFor } from './file-type.ts';
import type { FolderEntry } from './list-folder.ts';
import { matchesPatterns } from './match-pattern.ts';

/** Every file of a datastore belongs to root, as on ESXi; the users of this machine are no business of clients. */
const OWNER = 'root';

/** The file infos for the entries that `spec` asks for, in its order. `extentText`: datastore path of a name in the folder. */
export function searchFolder(
  entries: readonly FolderEntry[],
  spec: HostDatastoreBrowserSearchSpec,
  extentText: (name: string) => string,
): FileInfo[] {
  const ignoreCase = spec.searchCaseInsensitive ?? false;
  const found = entries.filter(({ name }) => matchesPatterns(name, spec.matchPattern ?? [], ignoreCase));
  const infos = sorted(found, spec.sortFoldersFirst ?? false).map((entry) => {
    const type = fileInfoType(entry.name, entry.isFolder, ignoreCase);
    return describe(entry, type, spec, extentText);
  });
  return infos.filter((info) => info !== undefined);
}

function describe(
  entry: FolderEntry,
  type: FileInfoType,
  spec: HostDatastoreBrowserSearchSpec,
  extentText: (name: string) => string,
): FileInfo | undefined {
  const queries = spec.query ?? [];
  const query = queries.find(({ _typeName = 'FileQuery' }) => queryAsksFor(_typeName, type));
  if (queries.length > 0 && !query) return undefined;
  const disk = type === 'VmDiskFileInfo' && isA('VmDiskFileQuery', query) ? query : undefined;
  const details = disk && entry.disk ? diskDetails(entry.disk, extentText) : undefined;
  if (disk && !passesFilter(details, disk.filter)) return undefined;
  const { fileType = false, fileSize = false, modification = false, fileOwner = false } = spec.details ?? {};
  return {
    // Folders are always told apart: clients walk down by them.
    _typeName: fileType || disk?.details || entry.isFolder ? type : 'FileInfo',
    path: entry.name,
    ...(fileSize ? { fileSize: entry.sizeBytes } : {}),
    ...(modification ? { modification: entry.modified.toISOString() } : {}),
    ...(fileOwner ? { owner: OWNER } : {}),
    ...diskFields(disk, details),
  };
}

function diskFields(query: VmDiskFileQuery | undefined, details: DiskDetails | undefined): Partial<FileInfo> {
  return query?.details && details ? flaggedDetails(details, query.details) : {};
}

function sorted(entries: readonly FolderEntry[], foldersFirst: boolean): FolderEntry[] {
  const rank = ({ isFolder }: FolderEntry) => (foldersFirst && isFolder ? 0 : 1);
  return entries.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** What a client means that gives no specification: every file, by name only. */
export const searchAll: HostDatastoreBrowserSearchSpec = make('HostDatastoreBrowserSearchSpec', {});
