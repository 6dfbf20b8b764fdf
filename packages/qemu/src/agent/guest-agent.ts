// The conversation with qemu-guest-agent in one guest, over the socket of its virtio-serial port. The guest may be anybody's: what it
// sends is bounded, parsed and never trusted; silence is normal (the agent need not run, or the guest is stopped).
//
// Requests and replies carry no ids, so one late reply would answer the next question. Each conversation therefore begins with
// guest-sync-delimited, whose reply follows a 0xFF byte that no JSON text has, and begins anew after every reply that did not come.

import type { Duplex } from 'node:stream';
import { type Clock, Mutex, type Random, type Timer } from '@vivarium/base';

export interface AgentOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** For one answer; absent = 5 s. */
  readonly timeoutMs?: number;
  /** Longest answer; absent = 1 MiB. */
  readonly maxBytes?: number;
}

/** The agent refused a command; `class` is its error class, e.g. CommandNotFound. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly class: string;

  constructor(command: string, errorClass: string, description: string) {
    super(`${command}: ${description}`);
    this.class = errorClass;
  }
}

/** No answer: no agent runs, the guest hangs, or the connection is gone. */
export class AgentUnavailableError extends Error {
  override readonly name = 'AgentUnavailableError';
}

const DELIMITER = 0xff;
const NEWLINE = 0x0a;

export class GuestAgent {
  readonly clock: Clock;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #stream: Duplex;
  readonly #options: AgentOptions;
  readonly #timeoutMs: number;
  readonly #turn = new Mutex();
  #isInStep = false;
  #isClosed = false;
  #received: Buffer[] = [];
  #size = 0;
  #onLine: ((line: Buffer) => void) | undefined;
  #onFailure: ((reason: Error) => void) | undefined;

  constructor(stream: Duplex, options: AgentOptions) {
    this.clock = options.clock;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', () => undefined); // `close` follows
    stream.on('end', () => stream.destroy());
    this.closed = new Promise((resolve) => {
      stream.once('close', () => {
        this.#isClosed = true;
        this.#onFailure?.(new AgentUnavailableError('the connection to the guest agent is gone'));
        resolve();
      });
    });
  }

  close(): void {
    this.#stream.destroy();
  }

  /**
   * One command; resolves with its `return`, which comes from the guest and has to be parsed. Rejects with an AgentError or an
   * AgentUnavailableError. Commands wait for each other.
   */
  async execute(command: string, args?: object, timeoutMs = this.#timeoutMs): Promise<unknown> {
    return await this.#turn.run(async () => {
      await this.#synchronize();
      this.#isInStep = false;
      const line = await this.#exchange(request(command, args), timeoutMs, () => true, command);
      this.#isInStep = true;
      return parseReply(command, line);
    });
  }

  /** A command that answers only when it fails (guest-shutdown). Resolves when `graceMs` passed without a refusal. */
  async executeSilent(command: string, args: object, graceMs: number): Promise<void> {
    await this.#turn.run(async () => {
      await this.#synchronize();
      this.#isInStep = false;
      const line = await this.#exchange(request(command, args), graceMs, () => true, command).catch(
        (error: unknown) => {
          if (error instanceof AgentUnavailableError) return undefined;
          throw error;
        },
      );
      if (line) parseReply(command, line);
    });
  }

  async #synchronize(): Promise<void> {
    if (this.#isInStep) return;
    const id = Buffer.from(this.#options.random.bytes(4)).readUInt32LE();
    const isOurs = (line: Buffer) => {
      const start = line.lastIndexOf(DELIMITER);
      return start !== -1 && parseQuietly(line.subarray(start + 1)) === id;
    };
    // The byte in front ends whatever half a request an earlier conversation has left in the agent.
    const message = Buffer.concat([Buffer.of(DELIMITER), request('guest-sync-delimited', { id })]);
    await this.#exchange(message, this.#timeoutMs, isOurs, 'guest-sync-delimited');
    this.#isInStep = true;
  }

  /** Sends, and waits for the first line that `accept` takes. */
  #exchange(message: Buffer, timeoutMs: number, accept: (line: Buffer) => boolean, subject: string): Promise<Buffer> {
    if (this.#isClosed) return Promise.reject(new AgentUnavailableError('the connection to the guest agent is gone'));
    this.#received = [];
    this.#size = 0;
    const answer = Promise.withResolvers<Buffer>();
    const timer: Timer = this.clock.setTimer(timeoutMs, () =>
      answer.reject(new AgentUnavailableError(`${subject}: the guest agent said nothing within ${timeoutMs} ms`)),
    );
    this.#onFailure = answer.reject;
    this.#onLine = (line) => {
      if (accept(line)) answer.resolve(line);
    };
    this.#stream.write(message);
    return answer.promise.finally(() => {
      timer.cancel();
      this.#onLine = undefined;
      this.#onFailure = undefined;
    });
  }

  #take(chunk: Buffer): void {
    if (!this.#onLine) {
      this.#isInStep = false; // nobody asked
      return;
    }
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...this.#received, chunk.subarray(start, end)]);
      this.#received = [];
      this.#size = 0;
      start = end + 1;
      this.#onLine?.(line);
    }
    if (start === chunk.length) return;
    this.#received.push(chunk.subarray(start));
    this.#size += chunk.length - start;
    if (this.#size <= (this.#options.maxBytes ?? 1024 * 1024)) return;
    this.#received = [];
    this.#size = 0;
    this.#onFailure?.(new AgentUnavailableError('the guest agent sent more than its limit'));
  }
}

function request(command: string, args: object | undefined): Buffer {
  return Buffer.from(
    `${JSON.stringify(args === undefined ? { execute: command } : { execute: command, arguments: args })}\n`,
  );
}

function parseQuietly(text: Buffer): unknown {
  try {
    return (JSON.parse(text.toString('utf8')) as { return?: unknown }).return;
  } catch {
    return undefined;
  }
}

function parseReply(command: string, line: Buffer): unknown {
  let reply: unknown;
  try {
    reply = JSON.parse(line.toString('utf8'));
  } catch {
    throw new AgentError(command, 'GenericError', 'the answer is not JSON');
  }
  if (typeof reply !== 'object' || reply === null)
    throw new AgentError(command, 'GenericError', 'the answer is no object');
  if ('error' in reply && typeof reply.error === 'object' && reply.error !== null) {
    const { class: errorClass, desc } = reply.error as { class?: unknown; desc?: unknown };
    throw new AgentError(command, short(errorClass), short(desc));
  }
  if (!('return' in reply)) throw new AgentError(command, 'GenericError', 'the answer has no result');
  return reply.return;
}

const short = (value: unknown) => (typeof value === 'string' ? value.slice(0, 500) : '');
