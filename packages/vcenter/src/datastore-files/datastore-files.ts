// The datastores of vCenter behind /folder. Who may do what is decided here, by the user's privileges on the datastore; the bytes
// come from, and go to, a connected host that has it, streamed both ways.
import type { Readable } from 'node:stream';
import type { Logger } from '@vivarium/base';
import { isFault, MethodFault, type MoRef } from '@vivarium/vim';
import {
  FOLDER_NAMES_HEADER,
  FOLDER_PAGE_HEADER,
  type FolderOpening,
  type FolderReply,
  type FolderRights,
  type FolderSource,
  folderRights,
  formatFolderNames,
  type Session,
} from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { type FolderAnswer, HostUnreachable } from '../host-link/host-link.ts';
import type { ReferenceMap } from '../host-sync/reference-map.ts';
import { plainName } from '../inventory/entity-name.ts';
import { datacenterEntries, datastoreEntries } from './folder-listings.ts';
import { findDatacenter, hostWithAll } from './locate-file.ts';

/** Transfers at once, of all users together. */
const MOST_TRANSFERS = 256;
const LONGEST_REFUSAL = 16_384;

/** Of a request, what its host has to know; of the answer, what its client has to. */
const TO_HOST = [
  'range',
  'if-range',
  'if-none-match',
  'if-modified-since',
  'overwrite',
  'content-length',
  'content-type',
];
const TO_CLIENT = [
  'accept-ranges',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
  'x-content-type-options',
];

export type FolderCenter = Pick<Center, 'service' | 'inventory' | 'hosts' | 'shared' | 'index'> & {
  readonly log: Logger;
};

export function datastoreFiles(center: FolderCenter): FolderSource {
  const { service, log } = center;
  let transfers = 0;
  return {
    log,
    authenticate: (request) => service.authenticate(request),
    list(target, session) {
      if (target.kind === 'datacenters') return { title: 'Datacenters', entries: datacenterEntries(center, session) };
      const datacenter = findDatacenter(center, target.dcPath);
      if (!datacenter || !isSeen(session, datacenter)) throw new MethodFault('FileNotFound', { file: target.dcPath });
      const entries = datastoreEntries(center, session, datacenter);
      return { title: `Datastores of ${target.dcPath}`, above: '/folder', entries };
    },
    async open(opening) {
      const datastore = find(opening);
      const rights = folderRights(service.authorization, opening, service.graph.get(datastore));
      rights.check();
      if (transfers >= MOST_TRANSFERS) return { status: 503, headers: { 'retry-after': '5' } };
      transfers += 1;
      opening.signal.addEventListener('abort', () => (transfers -= 1), { once: true });
      try {
        return await relay(opening, datastore, rights);
      } catch (error) {
        if (!(error instanceof HostUnreachable) && !isFault(error, 'HostNotConnected')) throw error;
        log.warn({ err: error, datastore: datastore.value }, 'a file could not be passed on');
        throw new MethodFault('HostNotConnected', {}, 'No host that has the datastore answers.');
      }
    },
  };

  function isSeen(session: Session, ref: MoRef): boolean {
    return service.authorization.holds(session, service.graph.get(ref), 'System.View');
  }

  /** What somebody may not see is not there, or its name could be guessed. Faults: FileNotFound, InvalidDatastore. */
  function find({ session, place: { dcPath, datastore: name } }: FolderOpening): MoRef<'Datastore'> {
    const datacenter = findDatacenter(center, dcPath);
    const datastore = datacenter && center.index.datastoreNamed(datacenter, name);
    if (datastore && isSeen(session, datastore)) return datastore;
    if (!datacenter || !isSeen(session, datacenter)) throw new MethodFault('FileNotFound', { file: dcPath ?? '' });
    throw new MethodFault('InvalidDatastore', { name });
  }

  async function relay(
    { place, method, headers, body, signal }: FolderOpening,
    datastore: MoRef<'Datastore'>,
    rights: FolderRights,
  ): Promise<FolderReply> {
    const host = hostWithAll(center, [datastore]);
    if (!host) throw new MethodFault('HostNotConnected');
    const { link, mirror } = center.hosts.connected(host);
    const names = formatFolderNames({ datacenter: place.dcPath ?? '', datastore: place.datastore });
    const answer = await link.folder({
      method,
      datastore: mirror.refs.hostDatastoreName(datastore) ?? plainName(center.inventory.get(datastore).name),
      path: place.path,
      headers: { ...picked(headers, TO_HOST), [FOLDER_NAMES_HEADER]: names },
      signal,
      ...(method === 'PUT' ? { body } : {}),
    });
    if (answer.status < 400) {
      try {
        rights.checkKind(answer.headers[FOLDER_PAGE_HEADER] ? 'folder' : 'file');
      } catch (error) {
        answer.body.destroy(); // nothing of it has been shown yet
        throw error;
      }
    }
    return passBack(answer, mirror.refs);
  }
}

async function passBack(
  { status, headers, body }: FolderAnswer,
  refs: Pick<ReferenceMap, 'textToCenter'>,
): Promise<FolderReply> {
  // The host does not know our session; that it does not let us in is no answer to our client.
  if (status === 401) {
    body.destroy();
    throw new HostUnreachable('the host does not let vCenter in');
  }
  if (status < 400) return { status, headers: picked(headers, TO_CLIENT), body };
  const text = refs.textToCenter(await shortText(body));
  return { status, headers: picked(headers, ['content-type', 'content-range']), body: text };
}

/** What a host says about a refusal; more than a few lines are nothing that it would say. */
async function shortText(body: Readable): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    if (text.length > LONGEST_REFUSAL) break;
  }
  return text;
}

function picked(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
