// A monitor's other end for tests: answers commands as a test says. It differs from QEMU in that it knows no command by itself
// and accepts commands before qmp_capabilities.
import { type Duplex, duplexPair } from 'node:stream';
import { systemClock } from '@vivarium/base/node';
import { Monitor, type MonitorOptions } from './monitor.ts';

export type Answer = { readonly return: unknown } | { readonly error: { class: string; desc: string } } | undefined;

export interface FakeQemu {
  readonly monitor: Monitor;
  /** Commands so far, after the handshake. */
  readonly commands: { readonly execute: string; readonly arguments?: unknown }[];
  /** The server's end of the stream. */
  readonly stream: Duplex;
  emit(event: string, data?: object): void;
}

export const GREETING =
  '{"QMP":{"version":{"qemu":{"micro":3,"minor":1,"major":11},"package":""},"capabilities":["oob"]}}\r\n';

/** A connected monitor. `answer` returns `undefined` to say nothing. */
export async function fakeQemu(
  answer: (command: string, args: unknown) => Answer = () => ({ return: {} }),
  options: Partial<MonitorOptions> = {},
): Promise<FakeQemu> {
  const [client, stream] = duplexPair();
  const commands: FakeQemu['commands'] = [];
  let pending = '';
  stream.on('data', (chunk: Buffer) => {
    pending += chunk.toString();
    for (let end = pending.indexOf('\n'); end !== -1; end = pending.indexOf('\n')) {
      const request = JSON.parse(pending.slice(0, end)) as { execute: string; arguments?: unknown; id: number };
      pending = pending.slice(end + 1);
      const isHandshake = request.execute === 'qmp_capabilities';
      if (!isHandshake) commands.push({ execute: request.execute, arguments: request.arguments });
      const reply = isHandshake ? { return: {} } : answer(request.execute, request.arguments);
      if (reply) stream.write(`${JSON.stringify({ ...reply, id: request.id })}\r\n`);
    }
  });
  stream.write(GREETING);
  const monitor = await Monitor.open(client, { clock: systemClock, ...options });
  const emit = (event: string, data: object = {}) =>
    void stream.write(`${JSON.stringify({ event, data, timestamp: { seconds: 1, microseconds: 500_000 } })}\r\n`);
  return { monitor, commands, stream, emit };
}
