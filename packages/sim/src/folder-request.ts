// A request below /folder, answered by a simulated host: files as they are in memory, a VM's .vmx and the descriptors of disks as
// their text. What a disk holds is not simulated.
import { Readable } from 'node:stream';
import { contentType, parseRange } from '@vivarium/host/view';
import type { FolderAnswer, FolderRequest } from '@vivarium/vcenter';
import { MethodFault } from '@vivarium/vim';
import {
  FOLDER_NAMES_HEADER,
  FOLDER_PAGE_HEADER,
  type FolderNames,
  folderUrl,
  httpStatus,
  listingPage,
  parseFolderNames,
} from '@vivarium/vmomi';
import { formatVmdkDescriptor, formatVmx, vmxFromConfig } from '@vivarium/vmx';
import { diskDescriptor, type FileWorld } from './file-methods.ts';
import { parentOf, type SimFiles, sizeOf } from './sim-files.ts';

/** Of one upload, in bytes. */
const MOST_BYTES = 64 * 2 ** 20;

export async function folderRequest(world: FileWorld, request: FolderRequest): Promise<FolderAnswer> {
  try {
    const files = world.filesOf(request.datastore);
    if (!files) throw new MethodFault('InvalidDatastore', { name: request.datastore });
    return await answer(world, files, request);
  } catch (error) {
    request.body?.resume();
    if (!(error instanceof MethodFault)) throw error;
    return plainReply(httpStatus(error as MethodFault), `${error.message}\n`);
  }
}

async function answer(world: FileWorld, files: SimFiles, request: FolderRequest): Promise<FolderAnswer> {
  const { method, path, headers } = request;
  if (method === 'DELETE') {
    files.remove(path);
    return reply(204, {});
  }
  if (method === 'PUT') return receive(world, files, request);
  if (files.isFolder(path)) {
    const names = parseFolderNames(headers[FOLDER_NAMES_HEADER]) ?? {
      datacenter: 'ha-datacenter',
      datastore: request.datastore,
    };
    const page = { 'content-type': 'text/html; charset=utf-8', [FOLDER_PAGE_HEADER]: 'true' };
    return reply(200, page, folderPage(files, path, names), method);
  }
  return send(textOrContent(world, files, path), request);
}

function send(content: Uint8Array, { method, path, headers }: FolderRequest): FolderAnswer {
  const common = { 'accept-ranges': 'bytes', 'content-type': contentType(path) };
  const range = parseRange(headers['range'], content.length);
  if (range === 'unsatisfiable') return reply(416, { ...common, 'content-range': `bytes */${content.length}` });
  if (range === 'whole') return reply(200, common, content, method);
  const part = { ...common, 'content-range': `bytes ${range.start}-${range.end}/${content.length}` };
  return reply(206, part, content.subarray(range.start, range.end + 1), method);
}

async function receive(
  { nowMs }: FileWorld,
  files: SimFiles,
  { path, headers, body }: FolderRequest,
): Promise<FolderAnswer> {
  const former = files.find(path);
  const mayReplace = !/^f/i.test(headers['overwrite'] ?? 't');
  if (former?.kind === 'folder') throw new MethodFault('NotAFile', { file: files.text(path) });
  if (former && !mayReplace) throw new MethodFault('FileAlreadyExists', { file: files.text(path) });
  if (!files.isFolder(parentOf(path))) throw new MethodFault('FileNotFound', { file: files.text(parentOf(path)) });
  files.requireFree(path);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
    if (bytes > MOST_BYTES) {
      const refused = { file: files.text(path), datastore: files.name, fileSize: bytes, maxFileSize: MOST_BYTES };
      throw new MethodFault('FileTooLarge', refused);
    }
  }
  files.put(path, { kind: 'file', modifiedMs: nowMs, content: Buffer.concat(chunks) });
  return reply(former ? 200 : 201, {});
}

/** Fault: FileNotFound. */
function textOrContent(world: FileWorld, files: SimFiles, path: string): Uint8Array {
  const entry = files.get(path);
  if (entry.kind === 'file') return entry.content;
  if (entry.kind === 'disk') {
    return Buffer.from(formatVmdkDescriptor(diskDescriptor(world, path.slice(path.lastIndexOf('/') + 1), entry.disk)));
  }
  const config = files.configOf(path);
  return config ? Buffer.from(formatVmx(vmxFromConfig(config))) : new Uint8Array();
}

function folderPage(files: SimFiles, path: string, { datacenter, datastore }: FolderNames): string {
  const place = path === '' ? '' : `${path}/`;
  return listingPage({
    title: files.text(path),
    above: path === '' ? folderUrl(datacenter) : folderUrl(datacenter, datastore, parentOf(path)),
    entries: files
      .list(path)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, entry]) => ({
        name: entry.kind === 'folder' ? `${name}/` : name,
        href: folderUrl(datacenter, datastore, place + name),
        modified: new Date(entry.modifiedMs),
        ...(entry.kind === 'folder' ? {} : { sizeBytes: sizeOf(entry) }),
      })),
  });
}

/** An answer of text or nothing. */
export function plainReply(status: number, text = ''): FolderAnswer {
  return reply(status, text === '' ? {} : { 'content-type': 'text/plain; charset=utf-8' }, text);
}

function reply(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array = '',
  method: FolderRequest['method'] = 'GET',
): FolderAnswer {
  const bytes = Buffer.from(body);
  return {
    status,
    headers: { ...headers, 'content-length': String(bytes.length) },
    body: Readable.from(method === 'HEAD' || bytes.length === 0 ? [] : [bytes]),
  };
}
