// Runs a program of the host to its end and collects what it says. For builds and probes: not for VMs, not for services.
import { spawn } from 'node:child_process';

export interface ProgramOptions {
  /** Environment beside PATH, HOME and LC_ALL=C; nothing else is inherited except proxy settings. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** The program is killed when this fires; the call rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Gets standard output as it comes, in addition to the result. */
  readonly onOutput?: (text: string) => void;
  /** Bytes of output kept, each of the two streams; more is dropped from the front. Default 4 MiB. */
  readonly keepBytes?: number;
}

export interface ProgramResult {
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** The program could not be started, or ended with anything but status 0. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly program: string;
  readonly status: number | undefined;
  readonly stderr: string;

  constructor(program: string, outcome: { status?: number; signal?: string; stderr: string; cause?: unknown }) {
    const how = outcome.signal === undefined ? `status ${outcome.status ?? 'unknown'}` : `signal ${outcome.signal}`;
    const said = outcome.stderr.trim().split('\n').slice(-8).join('\n');
    super(`${program} ended with ${how}${said === '' ? '' : `: ${said}`}`, { cause: outcome.cause });
    this.program = program;
    this.status = outcome.status;
    this.stderr = outcome.stderr;
  }
}

const INHERITED = /^(PATH|HOME|TMPDIR|(https?|ftp|all|no)_proxy)$/i;

/** Resolves when the program ended with status 0; throws {@link ProgramError} otherwise. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  options.signal?.throwIfAborted();
  const inherited = Object.entries(process.env).filter(([name]) => INHERITED.test(name));
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(inherited), LC_ALL: 'C', ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const stop = () => child.kill('SIGKILL');
  options.signal?.addEventListener('abort', stop, { once: true });
  const stdout = new Tail(options.keepBytes ?? 4 << 20);
  const stderr = new Tail(options.keepBytes ?? 4 << 20);
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.add(chunk);
    options.onOutput?.(chunk.toString());
  });
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
  child.stdin.on('error', () => undefined); // the program may end without reading its input
  child.stdin.end(options.input ?? '');
  try {
    const end = await new Promise<{ status?: number; signal?: string; cause?: unknown }>((resolve) => {
      child.once('error', (cause) => resolve({ cause }));
      child.once('close', (status, signal) =>
        resolve({ ...(status === null ? {} : { status }), ...(signal === null ? {} : { signal }) }),
      );
    });
    options.signal?.throwIfAborted();
    if (end.status !== 0) {
      const said = end.cause instanceof Error ? end.cause.message : stderr.text();
      throw new ProgramError(file, { ...end, stderr: said });
    }
    return { stdout: stdout.bytes(), stderr: stderr.text() };
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

/** The last bytes of a stream. */
class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#chunks.length > 1 && this.#size - (this.#chunks[0]?.length ?? 0) >= this.#limit) {
      this.#size -= this.#chunks.shift()?.length ?? 0;
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  text(): string {
    return this.bytes().toString();
  }
}
