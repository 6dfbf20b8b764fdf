// What a vCenter that passes a request below /folder on to a host says to it, and hears from it. Pure.

/** How the asker calls the datacenter and the datastore, as a query (`dcPath=…&dsName=…`): a page's links say it so. */
export const FOLDER_NAMES_HEADER = 'vivarium-folder-names';
/** On an answer: it is the page of a folder, not a file. */
export const FOLDER_PAGE_HEADER = 'vivarium-folder-page';

export interface FolderNames {
  /** Inventory path of the datacenter. */
  readonly datacenter: string;
  readonly datastore: string;
}

export function formatFolderNames({ datacenter, datastore }: FolderNames): string {
  return new URLSearchParams({ dcPath: datacenter, dsName: datastore }).toString();
}

/** Undefined when the header is absent, or no such thing. */
export function parseFolderNames(header: string | string[] | undefined): FolderNames | undefined {
  if (typeof header !== 'string') return undefined;
  const query = new URLSearchParams(header);
  const datacenter = query.get('dcPath');
  const datastore = query.get('dsName');
  return datacenter === null || datastore === null ? undefined : { datacenter, datastore };
}
