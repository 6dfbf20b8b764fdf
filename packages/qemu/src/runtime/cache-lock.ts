// Exclusion between processes that fill the same cache. The lock is flock(2) on a file, held by a child (util-linux's
// flock) that lives exactly as long as our end of a pipe: a holder that is killed, even by SIGKILL, lets go at once.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Takes the lock `path`, waiting for whoever holds it; `onWait` is called once when it has to wait. Dispose to let go.
 * Errors: the lock file cannot be made or opened; the signal's reason when it fires while waiting.
 */
export async function acquireCacheLock(
  path: string,
  options: { readonly signal?: AbortSignal; readonly onWait?: () => void } = {},
): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true });
  if (options.onWait !== undefined) {
    const free = await tryHold(path, true, options.signal);
    if (free !== undefined) return free;
    options.onWait();
  }
  const held = await tryHold(path, false, options.signal);
  if (held === undefined) throw new Error(`lock ${path} was not given`);
  return held;
}

async function tryHold(path: string, now: boolean, signal?: AbortSignal): Promise<AsyncDisposable | undefined> {
  signal?.throwIfAborted();
  const child = spawn(
    'flock',
    [...(now ? ['--nonblock', '--conflict-exit-code', '75'] : []), path, 'sh', '-c', 'echo held; exec cat'],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const stop = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  child.stdin.on('error', () => undefined); // the child may be gone already when we let go
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  try {
    const outcome = await new Promise<'held' | number | Error>((resolve) => {
      child.stdout.once('data', () => resolve('held'));
      child.once('error', resolve);
      child.once('close', (status) => resolve(status ?? -1));
    });
    if (outcome === 'held') {
      return {
        async [Symbol.asyncDispose]() {
          child.stdin.end();
          await ended;
        },
      };
    }
    signal?.throwIfAborted();
    if (outcome === 75) return undefined;
    throw new Error(`cannot lock ${path}: ${errors.join('').trim()}`, { cause: outcome });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
