// A tree from which Debian's programs can be run without being installed: see runtime-root.ts for how.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ExtractOptions, extractPackages, makeMergedUsr } from './extract-packages.ts';
import type { DebianPackage } from './package-archive.ts';

/** What maintainer scripts and base-files would have made, as far as programs need it. */
const FOLDERS = ['dev', 'proc', 'sys', 'tmp', 'run', 'var/lib', 'var/tmp', 'etc'];
const FILES: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  'etc/resolv.conf': '',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
};

/** Unpacks the packages into `root`, which is empty or does not exist. Errors: `ProgramError`. */
export async function unpackProgramRoot(
  packages: readonly DebianPackage[],
  root: string,
  options: ExtractOptions = {},
): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o755 });
  await makeMergedUsr(root);
  await extractPackages(packages, root, options);
  for (const name of FOLDERS) await mkdir(join(root, name), { recursive: true, mode: 0o755 });
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(root, name), text);
}
