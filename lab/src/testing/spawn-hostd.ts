// Starts a host's hostd alone, on the state that is there: as `viv up` does, without what else that looks after.
import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isAlive } from './process.ts';
import { waitFor } from './wait-for.ts';

const HOSTD = resolve(import.meta.dirname, '../../../packages/host/src/main.ts');
const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'];

export interface StartedHostd {
  readonly url: string;
  /** From the start of the process until it served, with every running VM taken over. */
  readonly readyMs: number;
}

/** Throws with the end of its log when it does not serve. */
export async function spawnHostd(hostDir: string): Promise<StartedHostd> {
  const configFile = join(hostDir, 'hostd.json');
  const { cacheDir } = JSON.parse(await readFile(configFile, 'utf8')) as { cacheDir: string };
  await using log = await open(join(hostDir, 'hostd.log'), 'a', 0o600);
  const began = performance.now();
  const child = spawn(process.execPath, [...FLAGS, HOSTD, configFile], {
    cwd: '/',
    detached: true,
    env: { ...process.env, NODE_COMPILE_CACHE: join(cacheDir, 'compile-cache') },
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  const { pid } = child;
  try {
    return await waitFor('hostd to serve', async () => {
      if (pid === undefined || !isAlive(pid)) throw new Error('hostd ended while it started');
      const ready = JSON.parse(await readFile(join(hostDir, 'hostd.pid'), 'utf8')) as { pid: number; port: number };
      if (ready.pid !== pid) return undefined;
      return { url: `https://127.0.0.1:${ready.port}`, readyMs: Math.round(performance.now() - began) };
    });
  } catch (error) {
    const text = await readFile(join(hostDir, 'hostd.log'), 'utf8');
    throw new Error(`hostd did not start; the end of its log:\n${text.slice(-4000)}`, { cause: error });
  }
}
