// vcsim, govmomi's simulator: what ours is held against. `vcsim/main.go` is its engine at the version that go.mod says.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { labCache } from '../../testing/lab-cache.ts';
import { run } from '../../testing/run.ts';

const SOURCE = fileURLToPath(new URL('vcsim', import.meta.url));

/** The program, built with the Go of the machine, which knows when there is nothing to build; or why it is not there. */
export async function buildVcsim(): Promise<{ readonly path: string } | { readonly missing: string }> {
  if ((await run('go', ['version']).catch(() => undefined))?.code !== 0) return { missing: 'Go is not installed' };
  const folder = join(labCache(), 'clients');
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'vcsim');
  const built = await run('go', ['-C', SOURCE, 'build', '-buildvcs=false', '-o', path, '.'], { timeoutMs: 600_000 });
  return built.code === 0 ? { path } : { missing: built.stderr.trim().split('\n').at(-1) ?? 'go build failed' };
}
