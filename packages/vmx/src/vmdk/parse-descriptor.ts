// VMDK descriptor text -> data. The text may come from a stranger.
import { SECTOR_BYTES, type VmdkDescriptor, type VmdkExtent, VmdkSyntaxError } from './descriptor.ts';

/** 62 TB in 2 GB extents need 31,744 lines. */
const MAX_EXTENTS = 32_768;
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_LINE = 4096;

/**
 * Parses a descriptor; NUL bytes at the end (the padding of embedded descriptors) are dropped. A key that comes twice is
 * refused, because readers do not agree on which one counts.
 */
export function parseVmdkDescriptor(input: string | Uint8Array): VmdkDescriptor {
  if (input.length > MAX_BYTES) throw new VmdkSyntaxError('tooLarge', `a descriptor of ${input.length} bytes`);
  const text = (typeof input === 'string' ? input : decode(input)).replace(/\0+$/, '').replace(/^\uFEFF/, '');
  const header = new Map<string, string>();
  const ddb = new Map<string, string>();
  const extents: VmdkExtent[] = [];
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    if (trimmed.length > MAX_LINE) throw new VmdkSyntaxError('badLine', `line ${index + 1} is too long`);
    if (/^(RW|RDONLY|NOACCESS)\s/i.test(trimmed)) {
      if (extents.length >= MAX_EXTENTS)
        throw new VmdkSyntaxError('tooManyExtents', `more than ${MAX_EXTENTS} extents`);
      extents.push(parseExtent(trimmed, index + 1));
      continue;
    }
    const { key, value } = parseAssignment(trimmed, index + 1);
    const [map, name] = key.startsWith('ddb.') ? [ddb, key.slice(4)] : [header, key];
    if (map.has(name)) throw new VmdkSyntaxError('duplicate', `${key} comes twice`);
    map.set(name, value);
  }
  return assemble(header, extents, ddb);
}

function assemble(header: Map<string, string>, extents: VmdkExtent[], ddb: Map<string, string>): VmdkDescriptor {
  const take = (key: string) => {
    const found = Array.from(header.keys()).find((name) => name.toLowerCase() === key.toLowerCase());
    const value = found === undefined ? undefined : header.get(found);
    if (found !== undefined) header.delete(found);
    return value;
  };
  const version = take('version') ?? '1';
  const createType = take('createType');
  if (!/^[1-9]$/.test(version)) throw new VmdkSyntaxError('badNumber', `version ${JSON.stringify(version)}`);
  if (createType === undefined) throw new VmdkSyntaxError('missing', 'the descriptor has no createType');
  take('encoding');
  const parentFileNameHint = take('parentFileNameHint');
  return {
    version: Number(version),
    cid: parseContentId(take('CID') ?? 'fffffffe', 'CID'),
    parentCid: parseContentId(take('parentCID') ?? 'ffffffff', 'parentCID'),
    createType,
    ...(parentFileNameHint === undefined ? {} : { parentFileNameHint }),
    extents,
    ddb,
    other: header,
  };
}

function parseContentId(text: string, key: string): string {
  if (!/^[0-9a-f]{1,8}$/i.test(text)) throw new VmdkSyntaxError('badNumber', `${key} ${JSON.stringify(text)}`);
  return text.toLowerCase().padStart(8, '0');
}

function parseAssignment(line: string, number: number): { key: string; value: string } {
  const match = /^([\w.:-]{1,128})\s*=\s*(?:"([^"]*)"|([^"\s]*))$/.exec(line);
  if (!match?.[1]) throw new VmdkSyntaxError('badLine', `line ${number} is neither an extent nor key = value`);
  return { key: match[1], value: match[2] ?? match[3] ?? '' };
}

function parseExtent(line: string, number: number): VmdkExtent {
  const match =
    /^(RW|RDONLY|NOACCESS)\s+(\d{1,16})\s+([A-Z]{1,16})(?:\s+"([^"]*)"(?:\s+(\d{1,16}))?)?(?:\s+.*)?$/i.exec(line);
  if (!match?.[1] || !match[2] || !match[3]) throw new VmdkSyntaxError('badLine', `line ${number} is not an extent`);
  return {
    access: match[1].toUpperCase() as VmdkExtent['access'], // the pattern allows nothing else
    sectors: parseSectors(match[2], number),
    type: match[3].toUpperCase(),
    ...(match[4] === undefined ? {} : { fileName: match[4] }),
    ...(match[5] === undefined ? {} : { offset: parseSectors(match[5], number) }),
  };
}

function parseSectors(digits: string, line: number): number {
  const sectors = Number(digits);
  if (!Number.isSafeInteger(sectors * SECTOR_BYTES))
    throw new VmdkSyntaxError('badNumber', `line ${line}: ${digits} sectors`);
  return sectors;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
