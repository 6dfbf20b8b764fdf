// Starts a daemon as a process of its own and waits until it answers.
import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeDurable } from '@vivarium/base/node';
import { CENTER_FLAGS } from './node-flags.ts';
import { findRunning, type Instance, type RunningHost, readText, UserError } from './state.ts';
import { waitUntil } from './wait.ts';

const START_MS = 60_000;

const programs = {
  hostd: fileURLToPath(new URL('../../host/src/main.ts', import.meta.url)),
  vpxd: fileURLToPath(new URL('../../vcenter/src/main.ts', import.meta.url)),
} as const;

/** hostd: a small young generation, as a daemon that is mostly idle keeps little memory it does not need. */
const nodeFlags = {
  hostd: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2', '--expose-gc'],
  vpxd: CENTER_FLAGS,
} as const;
/**
 * The C library's allocator (mallopt(3)): one arena, as it keeps what each thread once needed; and a threshold for mmap that is
 * fixed, as it otherwise grows to the largest block ever freed: after a password hash, blocks of 19 MB come from the heap and stay.
 */
const MALLOC = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };

/** Starts the daemon once more with the configuration that it had. */
export async function restartDaemon(instance: Instance, options: { readonly cacheDir: string }): Promise<RunningHost> {
  const text = await readText(configurationFile(instance));
  if (text === undefined) throw new UserError(`${instance.name} was never started`, 'begin with: ./viv up');
  return startDaemon(instance, JSON.parse(text) as object, options);
}

/** `configuration` is what the daemon reads: hostd.json, vpxd.json. */
export async function startDaemon(
  instance: Instance,
  configuration: object,
  options: { readonly cacheDir: string },
): Promise<RunningHost> {
  const { kind, stateDir, name } = instance;
  await mkdir(stateDir, { recursive: true, mode: 0o711 });
  const configFile = configurationFile(instance);
  await writeDurable(configFile, JSON.stringify(configuration, null, 2));
  const logFile = join(stateDir, `${kind}.log`);
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(process.execPath, [...nodeFlags[kind], programs[kind], configFile], {
      cwd: '/',
      detached: true,
      // Stripped and compiled once, not at every start: less time, and the stripper's memory is not needed.
      env: { ...process.env, ...MALLOC, NODE_COMPILE_CACHE: join(options.cacheDir, 'compile-cache') },
      stdio: ['ignore', log.fd, log.fd],
    });
    let exit: string | undefined;
    child.on('exit', (code, signal) => {
      exit = `exit code ${code ?? signal}`;
    });
    child.on('error', (error) => {
      exit = error.message;
    });
    child.unref();
    await waitUntil(async () => exit !== undefined || (await findRunning(instance)) !== undefined, START_MS);
    const running = await findRunning(instance);
    if (running) return running;
    if (exit === undefined) child.kill('SIGKILL');
    const words = await lastWords(logFile);
    throw new UserError(
      `${name} did not start (${exit ?? `no answer within ${START_MS / 1000} s`})${words}`,
      words.includes('EADDRINUSE') ? 'end what listens there, or give another --port' : `the whole log is ${logFile}`,
    );
  } finally {
    await log.close();
  }
}

function configurationFile({ kind, stateDir }: Instance): string {
  return join(stateDir, `${kind}.json`);
}

async function lastWords(logFile: string): Promise<string> {
  const lines = ((await readText(logFile)) ?? '').trimEnd().split('\n');
  const last = lines.findLast((line) => /"level":(50|60)/.test(line)) ?? lines.at(-1);
  if (!last) return '';
  try {
    const { msg, err } = JSON.parse(last) as { msg?: string; err?: { message?: string } };
    return `: ${[msg, err?.message].filter(Boolean).join(': ')}`;
  } catch {
    return `: ${last}`;
  }
}
