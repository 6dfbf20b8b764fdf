// pyvmomi, unmodified, each version in a virtual environment of its own, with suds, which reads the WSDL.
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { labCache } from '../testing/lab-cache.ts';
import { run } from '../testing/run.ts';
import type { ClientUnderTest } from './client.ts';

/** The newest, and one of the generation that Debian 12's Ansible has. */
export const PYVMOMI_VERSIONS = ['9.0.0.0', '6.7.3'] as const;
export type PyvmomiVersion = (typeof PYVMOMI_VERSIONS)[number];

/** The Python interpreter that imports this version. */
export function pyvmomiPython(version: PyvmomiVersion): string {
  return join(labCache(), 'clients', `pyvmomi-${version}`, 'bin', 'python');
}

export async function installPyvmomi(version: PyvmomiVersion): Promise<ClientUnderTest> {
  const name = `pyvmomi ${version}`;
  const python = pyvmomiPython(version);
  const folder = join(python, '../..');
  const works = async () =>
    (await run(python, ['-c', 'import pyVim.connect, suds']).catch(() => undefined))?.code === 0;
  const isThere = await stat(python).then(
    () => true,
    () => false,
  );
  if (isThere && (await works())) return { name, state: 'installed', detail: version };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const made = await run('python3', ['-m', 'venv', folder]).catch(() => undefined);
  if (made?.code !== 0) return { name, state: 'not run', detail: 'python3 cannot make virtual environments here' };
  const requirements = [`pyvmomi==${version}`, 'six', 'requests', 'suds==1.2.0'];
  const installed = await run(python, ['-m', 'pip', 'install', '-q', ...requirements], { timeoutMs: 300_000 });
  if (!(await works())) {
    return { name, state: 'not run', detail: installed.stderr.trim().split('\n').at(-1) ?? 'it cannot be imported' };
  }
  return { name, state: 'installed', detail: version };
}
