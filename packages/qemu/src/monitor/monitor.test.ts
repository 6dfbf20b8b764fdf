import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { suite, test } from 'node:test';
import { systemClock } from '@vivarium/base/node';
import { MonitorClosedError, MonitorTimeoutError, QmpError } from './errors.ts';
import { fakeQemu, GREETING } from './fake-qemu.ts';
import { Monitor } from './monitor.ts';
import { openWire, ProtocolError, type QmpEvent } from './wire.ts';

void suite('a monitor', () => {
  void test('returns what QEMU returns, and matches replies to commands', async () => {
    const { monitor, commands } = await fakeQemu((command) => ({ return: `${command}!` }));
    assert.equal(monitor.version, '11.1.3');
    assert.deepEqual(await Promise.all([monitor.execute('a', { x: 1 }), monitor.execute('b')]), ['a!', 'b!']);
    assert.deepEqual(commands, [
      { execute: 'a', arguments: { x: 1 } },
      { execute: 'b', arguments: undefined },
    ]);
  });

  void test('rejects with what QEMU says when it refuses', async () => {
    const { monitor } = await fakeQemu(() => ({ error: { class: 'DeviceNotFound', desc: 'Device x not found' } }));
    await assert.rejects(monitor.execute('device_del', { id: 'x' }), (error: unknown) => {
      assert.ok(error instanceof QmpError);
      assert.equal(error.class, 'DeviceNotFound');
      assert.equal(error.message, 'device_del: Device x not found');
      return true;
    });
  });

  void test('gives up after the time-out, and survives the late reply', async () => {
    const { monitor, stream } = await fakeQemu((command) => (command === 'slow' ? undefined : { return: 1 }));
    await assert.rejects(monitor.execute('slow', undefined, { timeoutMs: 10 }), MonitorTimeoutError);
    stream.write('{"return":{},"id":2}\n');
    assert.equal(await monitor.execute('next'), 1);
  });

  void test('gives up when the caller does', async () => {
    const { monitor } = await fakeQemu(() => undefined);
    const controller = new AbortController();
    const reason = new Error('enough');
    const waiting = monitor.execute('slow', undefined, { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(monitor.execute('slow', undefined, { signal: controller.signal }), reason);
  });

  void test('refuses more commands when QEMU answers none', async () => {
    const { monitor, stream } = await fakeQemu(() => undefined);
    const waiting = Array.from({ length: 256 }, () => monitor.execute('slow'));
    await assert.rejects(monitor.execute('one more'), MonitorTimeoutError);
    stream.destroy();
    const outcomes = await Promise.allSettled(waiting);
    assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  });

  void test('tells every listener of every event, and a failing one disturbs nobody', async () => {
    const errors: object[] = [];
    const log = { debug() {}, info() {}, warn() {}, error: (data: object) => void errors.push(data), child: () => log };
    const { monitor, emit } = await fakeQemu(() => ({ return: {} }), { log });
    const heard: QmpEvent[] = [];
    monitor.onEvent(() => {
      throw new Error('first');
    });
    monitor.onEvent(async () => {
      await Promise.resolve();
      throw new Error('second');
    });
    const stop = monitor.onEvent((event) => void heard.push(event));
    emit('STOP');
    emit('RESUME', { x: 1 });
    await monitor.execute('anything');
    stop();
    emit('STOP');
    await monitor.execute('anything');
    assert.deepEqual(heard, [
      { kind: 'event', event: 'STOP', data: {}, timestampMs: 1500 },
      { kind: 'event', event: 'RESUME', data: { x: 1 }, timestampMs: 1500 },
    ]);
    assert.equal(errors.length, 6);
  });

  void test('waits for an event, as long as it may', async () => {
    const { monitor, emit } = await fakeQemu();
    const resumed = monitor.waitFor(({ event }) => event === 'RESUME');
    emit('STOP');
    emit('RESUME');
    assert.equal((await resumed).event, 'RESUME');
    await assert.rejects(
      monitor.waitFor(() => true, { timeoutMs: 10 }),
      MonitorTimeoutError,
    );
  });

  void test('ends everything that waits when the connection ends', async () => {
    const { monitor, stream } = await fakeQemu(() => undefined);
    const command = monitor.execute('slow');
    const event = monitor.waitFor(() => true);
    stream.end();
    await assert.rejects(command, MonitorClosedError);
    await assert.rejects(event, MonitorClosedError);
    assert.equal(await monitor.closed, undefined);
    assert.ok(monitor.isClosed);
    await assert.rejects(monitor.execute('more'), MonitorClosedError);
    await assert.rejects(
      monitor.waitFor(() => true),
      MonitorClosedError,
    );
  });

  for (const [what, bytes] of [
    ['is not JSON', 'hello\n'],
    ['is not an object', '[1]\n'],
    ['is neither event nor reply', '{"x":1}\n'],
    ['answers no command', '{"return":{},"id":77}\n'],
    ['has no id', '{"return":{}}\n'],
    ['is cut off inside a character', Buffer.from([0x7b, 0xc3, 0x0a])],
  ] as const) {
    void test(`ends the conversation when a line ${what}`, async () => {
      const { monitor, stream } = await fakeQemu(() => undefined);
      const command = monitor.execute('slow');
      command.catch(() => undefined);
      stream.write(bytes);
      assert.ok((await monitor.closed) instanceof ProtocolError);
      await assert.rejects(command, MonitorClosedError);
    });
  }

  void test('does not wait for a greeting that never comes', async () => {
    const [client, server] = duplexPair();
    await assert.rejects(Monitor.open(client, { clock: systemClock, timeoutMs: 10 }), MonitorTimeoutError);
    assert.ok(client.destroyed);
    server.destroy();
    const [other, otherServer] = duplexPair();
    otherServer.end('nonsense\n');
    await assert.rejects(Monitor.open(other, { clock: systemClock }), MonitorClosedError);
  });
});

void suite('the wire', () => {
  void test('puts lines together from any pieces', async () => {
    const [client, server] = duplexPair();
    const messages: string[] = [];
    const closed = Promise.withResolvers<Error | undefined>();
    openWire(client, { message: ({ kind }) => void messages.push(kind), closed: closed.resolve });
    const text = Buffer.from(`${GREETING}{"event":"ü"}\n\r\n{"return":"é","id":1}\n{"event":"X","data":null}\n`);
    for (let index = 0; index < text.length; index++) server.write(text.subarray(index, index + 1));
    server.end();
    assert.equal(await closed.promise, undefined);
    assert.deepEqual(messages, ['greeting', 'event', 'reply', 'event']);
  });

  void test('does not keep a line without end', async () => {
    const [client, server] = duplexPair();
    const closed = Promise.withResolvers<Error | undefined>();
    openWire(client, { message: () => undefined, closed: closed.resolve }, 1000);
    for (let index = 0; index < 20; index++) server.write('x'.repeat(100));
    assert.match(String(await closed.promise), /more than 1000 bytes/);
  });
});
