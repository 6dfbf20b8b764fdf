// Runs a short-lived program of the runtime root (qemu-img and the like) in a jail of its own: no network, no capabilities,
// an unprivileged uid, only the given folders, bounded time and output. It dies with this process.
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { type Bind, type JailMode, jailCommand } from './jail.ts';
import { killGroup } from './process-identity.ts';

export interface JailedTool {
  readonly runtime: { readonly path: string };
  /** Absolute path in the runtime root, e.g. `/usr/bin/qemu-img`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly binds: readonly Bind[];
  /** As root: the uid (and gid) that the tool runs under; absent = nobody (65534). It has to have rights on the binds. */
  readonly uid?: number;
  readonly timeoutMs: number;
  /** Text given to the tool's standard input; absent = /dev/null. */
  readonly stdin?: string;
  /** Kills the tool; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Absent = `full` as root, else `user`. */
  readonly jail?: JailMode;
  /** Address space in bytes (RLIMIT_AS); absent = 4 GiB. */
  readonly memoryBytes?: number;
  /** Limit of standard output and of standard error, each; absent = 16 MiB. */
  readonly outputBytes?: number;
  /** Gets standard output as it comes, beside the result: progress. */
  readonly onStdout?: (text: string) => void;
}

/** A tool that ended other than with exit code 0. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(message: string, exitCode: number | undefined, stderr: string) {
    super(message);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

const NOBODY = 65_534;

/** Runs the tool to its end. Rejects with a `ToolError` on another exit code than 0, on time-out and on too much output. */
export async function runJailed(tool: JailedTool): Promise<{ stdout: string; stderr: string }> {
  tool.signal?.throwIfAborted();
  const command = toolCommand(tool, process.getuid?.() === 0);
  const child = spawn(command.file, command.args, { stdio: ['pipe', 'pipe', 'pipe'], env: {}, detached: true });
  const subject = `${tool.program.slice(tool.program.lastIndexOf('/') + 1)} ${tool.args[0] ?? ''}`.trimEnd();

  let refusal: Error | undefined;
  const kill = (reason: Error) => {
    refusal ??= reason;
    killGroup(child.pid);
  };
  const late = AbortSignal.timeout(tool.timeoutMs);
  const onLate = () => kill(new ToolError(`${subject} did not end within ${tool.timeoutMs} ms`, undefined, ''));
  const onAbort = () => kill(tool.signal?.reason);
  late.addEventListener('abort', onLate, { once: true });
  tool.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const limit = tool.outputBytes ?? 16 * 1024 * 1024;
    const tooMuch = () => kill(new ToolError(`${subject} printed more than ${limit} bytes`, undefined, ''));
    child.stdin.on('error', () => undefined); // a tool need not read its input (EPIPE)
    child.stdin.end(tool.stdin ?? '');
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const [exitCode, stdout, stderr] = await Promise.all([
      ended,
      collect(child.stdout, limit, tooMuch, tool.onStdout),
      collect(child.stderr, limit, tooMuch),
    ]);
    if (refusal) throw refusal;
    if (exitCode !== 0) {
      const said = stderr.trim().slice(-2000) || 'nothing on standard error';
      throw new ToolError(
        `${subject} ended with ${exitCode ?? child.signalCode}: ${said}`,
        exitCode ?? undefined,
        stderr,
      );
    }
    return { stdout, stderr };
  } finally {
    late.removeEventListener('abort', onLate);
    tool.signal?.removeEventListener('abort', onAbort);
  }
}

function toolCommand(tool: JailedTool, isRoot: boolean) {
  const jail = {
    mode: tool.jail ?? (isRoot ? 'full' : 'user'),
    runtimePath: tool.runtime.path,
    uid: tool.uid ?? NOBODY,
    binds: tool.binds,
    devices: [],
    workFolder: '/',
    network: 'none',
    whenStarterEnds: 'die',
  } as const;
  if (jail.mode === 'none') return jailCommand(jail, tool.program, tool.args);
  const limits = [`--as=${tool.memoryBytes ?? 4 * 1024 ** 3}`, '--core=0'];
  return jailCommand(jail, '/usr/bin/prlimit', [...limits, '--', tool.program, ...tool.args]);
}

async function collect(
  stream: Readable,
  limit: number,
  tooMuch: () => void,
  onText?: (text: string) => void,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    onText?.(chunk.toString());
    if (size > limit) tooMuch();
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
