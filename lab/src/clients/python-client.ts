// A client that pip installs, unmodified, in a virtual environment of its own in the cache.
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { labCache } from '../testing/lab-cache.ts';
import { run } from '../testing/run.ts';
import type { ClientUnderTest } from './client.ts';

export interface PythonClient {
  readonly name: string;
  readonly version: string;
  /** Of the virtual environment, in the cache. */
  readonly folder: string;
  /** What pip installs. */
  readonly requirements: readonly string[];
  /** Modules that can be imported when it is there. */
  readonly imports: string;
}

/** The Python interpreter that imports it. */
export function pythonOf({ folder }: Pick<PythonClient, 'folder'>): string {
  return join(labCache(), 'clients', folder, 'bin', 'python');
}

export async function installPythonClient(client: PythonClient): Promise<ClientUnderTest> {
  const { name, version, requirements, imports } = client;
  const python = pythonOf(client);
  const folder = join(python, '../..');
  const works = async () => (await run(python, ['-c', `import ${imports}`]).catch(() => undefined))?.code === 0;
  const isThere = await stat(python).then(
    () => true,
    () => false,
  );
  if (isThere && (await works())) return { name, state: 'installed', detail: version };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const made = await run('python3', ['-m', 'venv', folder]).catch(() => undefined);
  if (made?.code !== 0) return { name, state: 'not run', detail: 'python3 cannot make virtual environments here' };
  const installed = await run(python, ['-m', 'pip', 'install', '-q', ...requirements], { timeoutMs: 300_000 });
  if (!(await works())) {
    return { name, state: 'not run', detail: installed.stderr.trim().split('\n').at(-1) ?? 'it cannot be imported' };
  }
  return { name, state: 'installed', detail: version };
}
