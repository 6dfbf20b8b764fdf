// Unpacks package files into a folder. Only file contents and modes are taken: owners become the caller, set-uid bits and
// device nodes are not made, and no maintainer script runs, so it works the same for root and for an ordinary user.
import { spawn } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DebianPackage, Progress } from './package-archive.ts';
import { ProgramError } from './run-program.ts';

export interface ExtractOptions {
  /** tar patterns of paths to leave out, e.g. `./usr/share/doc/*`. */
  readonly exclude?: readonly string[];
  /** tar patterns of the only paths to take; absent = all. */
  readonly only?: readonly string[];
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
}

/** The links that a merged-/usr Debian root begins with; packages are unpacked through them. */
export async function makeMergedUsr(root: string): Promise<void> {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(root, 'usr', name), { recursive: true, mode: 0o755 });
    await symlink(`usr/${name}`, join(root, name));
  }
}

/** Unpacks in the given order; a later package may replace a file of an earlier one. Errors: `ProgramError`. */
export async function extractPackages(
  packages: readonly DebianPackage[],
  root: string,
  options: ExtractOptions = {},
): Promise<void> {
  const tarArgs = [
    ...['--extract', '--directory', root, '--keep-directory-symlink', '--no-same-owner', '--no-same-permissions'],
    ...['--delay-directory-restore', '--warning=no-timestamp', '--wildcards', '--wildcards-match-slash'],
    ...(options.exclude ?? []).map((pattern) => `--exclude=${pattern}`),
    ...(options.only ?? []),
  ];
  for (const [index, item] of packages.entries()) {
    options.signal?.throwIfAborted();
    options.progress?.('unpacking packages', index / packages.length);
    await unpack(item.file, tarArgs, options.only !== undefined);
  }
}

async function unpack(file: string, tarArgs: readonly string[], mayMiss: boolean): Promise<void> {
  const deb = spawn('dpkg-deb', ['--fsys-tarfile', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const tar = spawn('tar', tarArgs, { stdio: ['pipe', 'ignore', 'pipe'] });
  tar.stdin.on('error', () => undefined); // tar ends early on an error of its own, which is reported below
  deb.stdout.pipe(tar.stdin);
  const outcomes = await Promise.all([ending('dpkg-deb', deb), ending('tar', tar)]);
  const failed = outcomes.find(({ status, stderr, program }) => {
    const onlyMissing = program === 'tar' && mayMiss && /Not found in archive/.test(stderr);
    return status !== 0 && !onlyMissing;
  });
  if (failed !== undefined) throw new ProgramError(`${failed.program} ${file}`, failed);
}

function ending(program: string, child: ReturnType<typeof spawn>) {
  const said: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  return new Promise<{ program: string; status: number; stderr: string }>((resolve) => {
    child.once('error', (error) => resolve({ program, status: 127, stderr: error.message }));
    child.once('close', (status) => resolve({ program, status: status ?? 137, stderr: said.join('') }));
  });
}
