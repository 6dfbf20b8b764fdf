// Writes a NoCloud seed as a volume that guests find by its label `cidata`.
import { mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type RuntimeRoot, runProgram } from '@vivarium/qemu';
import { formatSeed, type Seed } from './seed.ts';

/**
 * Makes the ISO 9660 image `target`, replacing it atomically. Errors: `RangeError` from {@link formatSeed}; `ProgramError`
 * with xorriso's words; nothing half-made stays.
 */
export async function createSeedIso(
  target: string,
  seed: Seed,
  options: { readonly runtime: RuntimeRoot; readonly signal?: AbortSignal },
): Promise<void> {
  const files = formatSeed(seed);
  await using undo = new AsyncDisposableStack();
  const work = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  undo.defer(() => rm(work, { recursive: true, force: true }));
  const content = join(work, 'content');
  await mkdir(content);
  for (const [name, text] of Object.entries(files)) await writeFile(join(content, name), text);
  const image = join(work, 'seed.iso');
  const args = ['-quiet', '-volid', 'cidata', '-joliet', '-rational-rock', '-output', image, content];
  const { file, args: full } = options.runtime.command('xorrisofs', args, { binds: [work], network: false });
  await runProgram(file, full, options.signal === undefined ? {} : { signal: options.signal });
  const handle = await open(image, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(image, target);
}
