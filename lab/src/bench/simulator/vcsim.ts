// vcsim, govmomi's simulator: what ours is held against. At the version of the govc that the lab runs.
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { labCache } from '../../testing/lab-cache.ts';
import { run } from '../../testing/run.ts';

const VERSION = 'v0.38.0';
const MODULE = `github.com/vmware/govmomi/vcsim@${VERSION}`;

/** The program, built with the Go of the machine; or why it is not there. */
export async function installVcsim(): Promise<{ readonly path: string } | { readonly missing: string }> {
  const folder = join(labCache(), 'clients', `vcsim-${VERSION}`);
  const path = join(folder, 'vcsim');
  const isThere = () =>
    stat(path).then(
      () => true,
      () => false,
    );
  if (await isThere()) return { path };
  if ((await run('go', ['version']).catch(() => undefined))?.code !== 0) return { missing: 'Go is not installed' };
  await mkdir(folder, { recursive: true });
  const built = await run('go', ['install', MODULE], { env: { GOBIN: folder }, timeoutMs: 600_000 });
  return (await isThere()) ? { path } : { missing: built.stderr.trim().split('\n').at(-1) ?? 'go install failed' };
}
