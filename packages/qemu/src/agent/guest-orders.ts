// What a guest is asked to do, through its agent.
import { delay } from '@vivarium/base';
import { AgentError, AgentUnavailableError, type GuestAgent } from './guest-agent.ts';

/** The agent answers an order to shut down only to refuse it; it does so at once. */
const REFUSAL_MS = 1000;

/** Asks the guest to end or restart itself. Resolves when the agent has not refused; whether the guest does it shows later. */
export async function shutdown(agent: GuestAgent, mode: 'halt' | 'powerdown' | 'reboot'): Promise<void> {
  await agent.executeSilent('guest-shutdown', { mode }, REFUSAL_MS);
}

export interface GuestProgram {
  /** Absolute path in the guest. */
  readonly path: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly timeoutMs: number;
}

export interface GuestProgramResult {
  /** `undefined` when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

const POLL_MS = 100;

/** Runs a program in the guest with the agent's rights and waits for its end. Output is what fits into one answer of the agent. */
export async function execInGuest(agent: GuestAgent, program: GuestProgram): Promise<GuestProgramResult> {
  const { path, args, stdin, timeoutMs } = program;
  const started = await agent.execute('guest-exec', {
    path,
    arg: args,
    'capture-output': true,
    ...(stdin === undefined ? {} : { 'input-data': Buffer.from(stdin).toString('base64') }),
  });
  const pid = numberOf(started, 'pid');
  if (pid === undefined) throw new AgentError('guest-exec', 'GenericError', 'the answer has no pid');
  const deadline = agent.clock.monotonic() + timeoutMs;
  for (;;) {
    const status = await agent.execute('guest-exec-status', { pid });
    if (valueOf(status, 'exited') === true) {
      return {
        exitCode: numberOf(status, 'exitcode'),
        stdout: bytesOf(status, 'out-data'),
        stderr: bytesOf(status, 'err-data'),
      };
    }
    if (agent.clock.monotonic() > deadline) {
      throw new AgentUnavailableError(`guest-exec: ${path} did not end within ${timeoutMs} ms`);
    }
    await delay(agent.clock, POLL_MS);
  }
}

function valueOf(reply: unknown, name: string): unknown {
  return typeof reply === 'object' && reply !== null ? Reflect.get(reply, name) : undefined;
}

function numberOf(reply: unknown, name: string): number | undefined {
  const value = valueOf(reply, name);
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

function bytesOf(reply: unknown, name: string): Buffer {
  const value = valueOf(reply, name);
  return Buffer.from(typeof value === 'string' ? value : '', 'base64');
}
