// VMware's own SDK of the Automation API for Python, unmodified, in a virtual environment.
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { labCache } from '../testing/lab-cache.ts';
import { run } from '../testing/run.ts';
import type { ClientUnderTest } from './client.ts';

const VERSION = '9.1.1.0';
const FOLDER = `automation-sdk-${VERSION}`;

export function automationSdkPython(): string {
  return join(labCache(), 'clients', FOLDER, 'bin', 'python');
}

export async function installAutomationSdk(): Promise<ClientUnderTest> {
  const name = 'vSphere Automation SDK for Python';
  const python = automationSdkPython();
  const folder = join(python, '../..');
  const works = async () =>
    (await run(python, ['-c', 'import com.vmware.cis_client']).catch(() => undefined))?.code === 0;
  const isThere = await stat(python).then(
    () => true,
    () => false,
  );
  if (isThere && (await works())) return { name, state: 'installed', detail: VERSION };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const made = await run('python3', ['-m', 'venv', folder]).catch(() => undefined);
  if (made?.code !== 0) return { name, state: 'not run', detail: 'python3 cannot make virtual environments here' };
  const installed = await run(python, ['-m', 'pip', 'install', '-q', `vmware-vcenter==${VERSION}`], {
    timeoutMs: 300_000,
  });
  if (!(await works())) {
    return { name, state: 'not run', detail: installed.stderr.trim().split('\n').at(-1) ?? 'it cannot be imported' };
  }
  return { name, state: 'installed', detail: VERSION };
}
