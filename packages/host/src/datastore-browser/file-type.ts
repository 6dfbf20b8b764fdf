// What kind of file a name stands for, and which search queries ask for it. Pure; goes by the extension, as the API says
// that browsers do ("the algorithm used to match file types relies on file extensions", HostDatastoreBrowserSearchSpec).
import type { DataTypes } from '@vivarium/vim';

export type FileInfoType = Extract<
  keyof DataTypes,
  | 'FileInfo'
  | 'FolderFileInfo'
  | 'FloppyImageFileInfo'
  | 'IsoImageFileInfo'
  | 'VmConfigFileInfo'
  | 'TemplateConfigFileInfo'
  | 'VmDiskFileInfo'
  | 'VmLogFileInfo'
  | 'VmNvramFileInfo'
  | 'VmSnapshotFileInfo'
>;

const byExtension: Readonly<Record<string, FileInfoType | undefined>> = {
  flp: 'FloppyImageFileInfo',
  img: 'FloppyImageFileInfo',
  iso: 'IsoImageFileInfo',
  vmx: 'VmConfigFileInfo',
  vmtx: 'TemplateConfigFileInfo',
  vmdk: 'VmDiskFileInfo',
  log: 'VmLogFileInfo',
  nvram: 'VmNvramFileInfo',
  vmsn: 'VmSnapshotFileInfo',
};

export function fileInfoType(name: string, isFolder: boolean, ignoreCase: boolean): FileInfoType {
  if (isFolder) return 'FolderFileInfo';
  const extension = name.slice(name.lastIndexOf('.') + 1);
  const key = ignoreCase ? extension.toLowerCase() : extension;
  return (name.includes('.') && Object.hasOwn(byExtension, key) && byExtension[key]) || 'FileInfo';
}

/** Whether a query of this type asks for files of that type. The bare FileQuery asks for all. */
export function queryAsksFor(queryType: string, fileType: FileInfoType): boolean {
  if (queryType === 'FileQuery') return true;
  if (queryType === 'VmConfigFileQuery' && fileType === 'TemplateConfigFileInfo') return true;
  return queryType.replace(/Query$/, 'Info') === fileType;
}
