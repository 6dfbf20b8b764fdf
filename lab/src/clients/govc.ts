// govc, unmodified, at a pinned version: the newest that `go install` builds as it is (later ones are split over two modules).
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { labCache } from '../testing/lab-cache.ts';
import { run, runOk } from '../testing/run.ts';
import type { ClientUnderTest } from './client.ts';

const VERSION = 'v0.38.0';
const MODULE = `github.com/vmware/govmomi/govc@${VERSION}`;

export function govcPath(): string {
  return join(labCache(), 'clients', `govc-${VERSION}`, 'govc');
}

export async function installGovc(): Promise<ClientUnderTest> {
  const name = 'govc';
  const path = govcPath();
  const isThere = () =>
    stat(path).then(
      () => true,
      () => false,
    );
  if (!(await isThere())) {
    if ((await run('go', ['version']).catch(() => undefined))?.code !== 0) {
      return { name, state: 'not run', detail: 'Go is not installed' };
    }
    const folder = join(path, '..');
    await mkdir(folder, { recursive: true });
    const built = await run('go', ['install', MODULE], { env: { GOBIN: folder }, timeoutMs: 600_000 });
    if (!(await isThere())) return { name, state: 'not run', detail: built.stderr.trim().split('\n').at(-1) ?? '' };
  }
  await runOk(path, ['version']);
  return { name, state: 'installed', detail: VERSION };
}
