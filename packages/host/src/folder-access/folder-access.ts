// The host's datastores behind /folder. Everything is checked as in the API: privilege on the datastore, paths that stay inside.
import type { Random } from '@vivarium/base';
import { isFault, MethodFault, type MoRef } from '@vivarium/vim';
import {
  FOLDER_NAMES_HEADER,
  FOLDER_PAGE_HEADER,
  type FolderOpening,
  type FolderReply,
  type FolderSource,
  folderRights,
  parseFolderNames,
} from '@vivarium/vmomi';
import { type Location, locationText } from '../datastore/datastore.ts';
import { checkReadable } from '../datastore/file-use.ts';
import type { StorageApi } from '../datastore/storage-api.ts';
import { deleteFile } from '../file-manager/file-operations.ts';
import type { FlatReading } from '../virtual-disk-manager/virtual-disks.ts';
import { folderPages } from './folder-pages.ts';
import { receiveFile } from './receive-file.ts';
import { answerWithFile, type ByteSource, flatSource, openFileSource } from './send-file.ts';

export interface FolderAccess extends Pick<FolderSource, 'authenticate' | 'log'> {
  readonly api: StorageApi;
  /** Thin disks as the flat files that their descriptors name; see VirtualDisks.openFlat. */
  openFlat?(place: Location): Promise<FlatReading | undefined>;
  /** Inventory path of the host's datacenter: `ha-datacenter`. */
  readonly datacenter: string;
  readonly random: Random;
}

export function folderAccess(access: FolderAccess): FolderSource {
  const { api, random, datacenter } = access;
  const pages = folderPages(access);
  return {
    log: access.log,
    authenticate: (request) => access.authenticate(request),
    list(target, session) {
      if (target.kind === 'datastores') checkDatacenter(target.dcPath, datacenter);
      return pages.top(target.kind, ({ ref }) => api.authorization.holds(session, api.graph.get(ref as MoRef), BROWSE));
    },
    async open(opening) {
      const { place: asked, method, headers } = opening;
      checkDatacenter(asked.dcPath, datacenter);
      const text = `[${asked.datastore}] ${asked.path}`;
      const place = api.datastores.locate(text);
      const rights = folderRights(api.authorization, opening, api.graph.get(place.datastore.ref as MoRef));
      if (!rights.isSeen) throw new MethodFault('InvalidDatastorePath', { datastorePath: text });
      rights.check();
      const isReading = method === 'GET' || method === 'HEAD';
      if (isReading) {
        const names = parseFolderNames(headers[FOLDER_NAMES_HEADER]);
        const page = await pages.folder(place, () => rights.checkKind('folder'), names);
        if (page !== undefined) return { status: 200, headers: PAGE_HEADERS, body: page };
      }
      rights.checkKind('file');
      if (isReading) return sendFile(place, opening);
      if (method === 'PUT') return takeFile(place, opening);
      await deleteFile({ random, use: api.use }, place);
      api.touched(place.datastore);
      return { status: 204 };
    },
  };

  async function sendFile(place: Location, opening: FolderOpening): Promise<FolderReply> {
    checkReadable(api.use, place.datastore.absolute(place.path), locationText(place));
    return answerWithFile(place, await openSource(place), opening);
  }

  // What is there comes first: a flat file that somebody put beside a thin disk is a file like any other.
  async function openSource(place: Location): Promise<ByteSource> {
    try {
      return await openFileSource(place);
    } catch (error) {
      const flat = isFault(error, 'FileNotFound') ? await access.openFlat?.(place) : undefined;
      if (!flat) throw error;
      return flatSource(flat);
    }
  }

  async function takeFile(place: Location, { headers, body }: FolderOpening): Promise<FolderReply> {
    const length = headers['content-length'];
    try {
      const isNew = await receiveFile(place, {
        random,
        use: api.use,
        body,
        lengthBytes: length === undefined ? undefined : Number(length),
        mayReplace: !/^f/i.test(String(headers['overwrite'] ?? 't')),
      });
      return { status: isNew ? 201 : 200 };
    } finally {
      api.touched(place.datastore);
    }
  }
}

const BROWSE = 'Datastore.Browse';
const PAGE_HEADERS = { 'content-type': 'text/html; charset=utf-8', [FOLDER_PAGE_HEADER]: 'true' };

/**
 * Clients name it by inventory path, some encode it twice, and host clients may leave it empty, or out. Fault: FileNotFound
 * (another datacenter).
 */
export function checkDatacenter(dcPath: string | null, datacenter: string): void {
  const plain = (dcPath ?? '').replace(/^\/+|\/+$/g, '').replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  if (plain !== '' && plain !== datacenter) throw new MethodFault('FileNotFound', { file: dcPath ?? '' });
}
