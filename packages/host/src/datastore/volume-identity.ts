// A datastore's own name for itself: a VMFS-like UUID in a hidden file of its root, so that it stays the same wherever the
// folder is mounted.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Random, token } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';
import { isMissing } from './file-faults.ts';

/** Hidden from clients by its prefix, and the one such name that the sweep at start leaves alone. */
export const IDENTITY_FILE = '.viv-datastore.json';

const FORM = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Reads the UUID of the datastore at `root`, or gives it one. */
export async function ensureVolumeUuid(root: string, random: Random): Promise<string> {
  const path = join(root, IDENTITY_FILE);
  try {
    return parseIdentity(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const hex = token(random, 16);
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  await writeDurable(path, `${JSON.stringify({ version: 1, uuid })}\n`, 0o644);
  return uuid;
}

function parseIdentity(text: string, path: string): string {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'uuid' in value) {
    const { uuid } = value;
    if (typeof uuid === 'string' && FORM.test(uuid)) return uuid;
  }
  throw new Error(`not the identity of a datastore: ${path}`);
}
