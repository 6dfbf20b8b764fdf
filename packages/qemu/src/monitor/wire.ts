// QMP's wire: one JSON object a line, over a stream. Frames, parses and sorts messages; knows no command and keeps no state but
// the unfinished line. The peer is a VMM that a guest may have taken over: every line is bounded, and anything that is not
// QMP ends the connection.
import type { Duplex } from 'node:stream';

/** A reply of QEMU's to a command. */
export interface QmpReply {
  readonly kind: 'reply';
  readonly id: number | undefined;
  readonly value?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

export interface QmpEvent {
  readonly kind: 'event';
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** QEMU's wall-clock time in milliseconds since the epoch. */
  readonly timestampMs: number;
}

export interface QmpGreeting {
  readonly kind: 'greeting';
  readonly version: string;
}

export type QmpMessage = QmpReply | QmpEvent | QmpGreeting;

export interface WireHandlers {
  message(message: QmpMessage): void;
  /** Called once: the stream ended (`undefined`) or broke, or the peer did not speak QMP. */
  closed(reason: Error | undefined): void;
}

/** Enough for query-qmp-schema (200 KB) and the block graphs of machines with very many disks. */
const LONGEST_LINE = 16 * 1024 * 1024;

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Reads `stream` until it ends. Returns a function that sends one command. */
export function openWire(
  stream: Duplex,
  handlers: WireHandlers,
  longestLine = LONGEST_LINE,
): (message: object) => void {
  let parts: Buffer[] = [];
  let pending = 0;
  let reason: Error | undefined;

  const take = (chunk: Buffer): void => {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString('utf8').trim();
      parts = [];
      pending = 0;
      start = end + 1;
      if (line !== '') handlers.message(parseMessage(line));
    }
    if (start === chunk.length) return;
    parts.push(chunk.subarray(start));
    pending += chunk.length - start;
    if (pending > longestLine) throw new ProtocolError(`a line of more than ${longestLine} bytes`);
  };

  stream.on('data', (chunk: Buffer) => {
    if (reason) return;
    try {
      take(chunk);
    } catch (error) {
      reason = error instanceof Error ? error : new ProtocolError(String(error));
      stream.destroy();
    }
  });
  stream.once('error', (error) => {
    reason ??= error;
  });
  stream.once('end', () => stream.destroy());
  stream.once('close', () => handlers.closed(reason));
  return (message) => {
    stream.write(`${JSON.stringify(message)}\n`);
  };
}

/** One line of QMP. Throws a ProtocolError for anything else. */
export function parseMessage(line: string): QmpMessage {
  const message = parseObject(line);
  if (typeof message['event'] === 'string') {
    const data = isObject(message['data']) ? message['data'] : {};
    return { kind: 'event', event: message['event'], data, timestampMs: timestamp(message['timestamp']) };
  }
  const id = typeof message['id'] === 'number' ? message['id'] : undefined;
  if (isObject(message['error'])) {
    const { class: errorClass, desc } = message['error'];
    return { kind: 'reply', id, error: { class: String(errorClass), desc: String(desc) } };
  }
  if ('return' in message) return { kind: 'reply', id, value: message['return'] };
  if (isObject(message['QMP'])) return { kind: 'greeting', version: version(message['QMP']['version']) };
  throw new ProtocolError('a message that is neither event nor reply');
}

function parseObject(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new ProtocolError('a line that is not JSON', { cause });
  }
  if (!isObject(value)) throw new ProtocolError('a line that is not an object');
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function timestamp(value: unknown): number {
  if (!isObject(value)) return 0;
  return Math.trunc(Number(value['seconds']) * 1000 + Number(value['microseconds']) / 1000) || 0;
}

function version(value: unknown): string {
  if (!isObject(value) || !isObject(value['qemu'])) return '';
  const { major, minor, micro } = value['qemu'];
  return `${major}.${minor}.${micro}`;
}
