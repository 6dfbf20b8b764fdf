import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Logger, silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import type { EncodedSink } from '@vivarium/vim';
import Fastify from 'fastify';
import { turn } from '../testing/test-clock.ts';
import { CHUNK_BYTES } from './chunk-sink.ts';
import { replySender } from './send-reply.ts';

type Produce = (sink: EncodedSink) => Iterator<void, void>;

/** Serves what `produce` makes, over plain HTTP; `open` begins to read it. */
async function server(context: TestContext, produce: Produce) {
  const errors: object[] = [];
  const log: Logger = { ...silentLogger, error: (data) => void errors.push(data) };
  const app = Fastify({ forceCloseConnections: true });
  const sender = replySender({ clock: systemClock, log });
  app.get('/', async (request, reply) => sender.send(request, reply, 'text/plain', produce));
  app.get('/small', async () => 'small');
  await app.listen({ port: 0, host: '127.0.0.1' });
  context.after(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const open = async (path = '/', headers: Record<string, string> = {}) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, path, headers });
    outgoing.end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return incoming;
  };
  return { open, errors, port };
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const LINE = `${'é'.repeat(100)}${'x'.repeat(811)}\n`;
const BYTES = Buffer.from(LINE);

/** So many lines of 1,012 bytes, every third one from bytes. Says how many were made, and when it was stopped. */
function lines(count: number) {
  const stopped = Promise.withResolvers<void>();
  const state = { made: 0, stopped: stopped.promise };
  const produce: Produce = function* (sink) {
    try {
      for (; state.made < count; state.made++) {
        if (state.made % 3 === 0) sink.bytes(Buffer.concat([Buffer.from('-'), BYTES]), 1, BYTES.length + 1);
        else sink.text(LINE);
        yield;
      }
    } finally {
      stopped.resolve();
    }
  };
  return { state, produce };
}

/** So many lines, all from bytes that lie one behind the other. */
function keptLines(count: number) {
  const state = { made: 0 };
  const kept = Buffer.from(LINE.repeat(1000));
  const produce: Produce = function* (sink) {
    for (; state.made < count; state.made++) {
      const from = (state.made % 1000) * BYTES.length;
      sink.bytes(kept, from, from + BYTES.length);
      yield;
    }
  };
  return { state, produce };
}

void test('a reply arrives as it was made, whatever its length', async (context) => {
  for (const count of [0, 1, 2, 16, 17, 126, 127, 128, 129, 130, 1000, 3000]) {
    const { open } = await server(context, (sink) => lines(count).produce(sink));
    const plain = await open();
    assert.equal(plain.statusCode, 200);
    assert.ok((await readAll(plain)).equals(Buffer.from(LINE.repeat(count))), `${count} lines`);
    const zipped = await open('/', { 'accept-encoding': 'gzip' });
    const body = await readAll(zipped);
    const unzipped = zipped.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    assert.ok(unzipped.equals(Buffer.from(LINE.repeat(count))), `${count} lines with gzip`);
    if (count > 150) assert.equal(zipped.headers['content-encoding'], 'gzip');
  }
});

void test('kept text arrives in its place, whatever stands around it', async (context) => {
  const around = ['', 'x', 'é'.repeat(300), 'é'.repeat(CHUNK_BYTES)];
  for (const before of around)
    for (const after of around)
      for (const length of [1, 511, 512, 8192, CHUNK_BYTES]) {
        const kept = 'k'.repeat(length);
        const { open } = await server(context, function* (sink) {
          sink.text(before);
          sink.text(kept, true);
          yield;
          sink.text(kept, true);
          sink.bytes(BYTES, 0, BYTES.length);
          sink.text(after);
        });
        const body = Buffer.from(`${before}${kept}${kept}${LINE}${after}`);
        assert.ok((await readAll(await open())).equals(body), `${before.length}, ${length}, ${after.length}`);
      }
});

void test('kept text alone is sent with its length, and zipped where that is taken', async (context) => {
  const kept = '<a>kept</a>'.repeat(400);
  const { open } = await server(context, function* (sink) {
    sink.text('é');
    sink.text(kept, true);
    yield;
    sink.text('ü');
  });
  const body = Buffer.from(`é${kept}ü`);
  const plain = await open();
  assert.equal(plain.headers['content-length'], String(body.length));
  assert.equal(plain.headers.vary, 'accept-encoding');
  assert.ok((await readAll(plain)).equals(body));
  const zipped = await open('/', { 'accept-encoding': 'gzip' });
  assert.equal(zipped.statusCode, 200);
  assert.ok((await readAll(zipped)).equals(body), 'this scope does not zip whole replies');
});

void test('bytes that lie one behind the other arrive in their place, however many they are', async (context) => {
  const kept = Buffer.from(new SharedArrayBuffer(3 << 20));
  for (let at = 0; at < kept.length; at++) kept[at] = 97 + ((at * 7919) % 25) + (at >> 18);
  for (const length of [1, 1000, 31 << 10, 33 << 10, CHUNK_BYTES - 9, CHUNK_BYTES + 1, 256 << 10, 700_000, 3 << 20]) {
    for (const text of ['', 'é', 'é'.repeat(5000), 'é'.repeat(CHUNK_BYTES)]) {
      const produce: Produce = function* (sink) {
        for (let round = 0; round < 2; round++) {
          sink.text(text);
          yield;
          for (let at = 0; at < length; at += 10_000) {
            sink.bytes(kept, at, Math.min(length, at + 10_000));
            yield;
          }
          sink.bytes(kept, 5, 9);
        }
      };
      const once = Buffer.concat([Buffer.from(text), kept.subarray(0, length), kept.subarray(5, 9)]);
      const body = Buffer.concat([once, once]);
      const { open } = await server(context, produce);
      const plain = await open();
      assert.equal(plain.headers['content-length'] !== undefined, body.length <= CHUNK_BYTES, `${length} bytes`);
      assert.ok((await readAll(plain)).equals(body), `${length} bytes between ${text.length} characters`);
      const zipped = await open('/', { 'accept-encoding': 'gzip' });
      const sent = await readAll(zipped);
      const unzipped = zipped.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      assert.ok(unzipped.equals(body), `${length} bytes between ${text.length} characters with gzip`);
    }
  }
});

void test('a reply whose last text only just does not fit is whole', async (context) => {
  const most = CHUNK_BYTES + 300;
  for (let before = CHUNK_BYTES - 500; before < most; before += 50) {
    const body = Buffer.concat([Buffer.alloc(before, 'a'), Buffer.from('b'.repeat(400))]);
    const { open } = await server(context, function* (sink) {
      sink.bytes(body, 0, before);
      yield;
      sink.text('b'.repeat(400));
    });
    assert.ok((await readAll(await open())).equals(body), `${before} bytes before`);
  }
});

void test('what fits into one chunk has a length, what does not is sent before it is finished', async (context) => {
  const small = await server(context, lines(100).produce);
  assert.equal(Number((await small.open()).headers['content-length']), 100 * BYTES.length);
  const { state, produce } = lines(100_000);
  const large = await server(context, produce);
  const incoming = await large.open();
  assert.equal(incoming.headers['transfer-encoding'], 'chunked');
  assert.ok(state.made < 100_000);
  incoming.destroy();
});

void test('a client that goes away ends the work', async (context) => {
  for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
    const { state, produce } = lines(1_000_000);
    const { open, errors } = await server(context, produce);
    const incoming = await open('/', headers);
    await once(incoming, 'data');
    incoming.destroy();
    await state.stopped;
    assert.ok(state.made < 1_000_000);
    assert.deepEqual(errors, []);
  }
});

void test('for a client that does not read no more is made than the way to it holds', async (context) => {
  const count = 60_000;
  // Nothing but bytes that are kept already is sent in other pieces.
  for (const { state, produce } of [lines(count), keptLines(count)]) {
    const { open } = await server(context, produce);
    const incoming = await open();
    // Until nothing moves any more.
    for (let made = -1; made !== state.made; ) {
      made = state.made;
      for (let turns = 0; turns < 500; turns++) await turn();
    }
    assert.ok(state.made < count / 2, `${state.made} lines were made`);
    assert.equal((await readAll(incoming)).length, count * BYTES.length);
  }
});

void test('others are answered while a long reply is made', async (context) => {
  const { state, produce } = lines(60_000);
  const { open } = await server(context, produce);
  const incoming = await open();
  const whole = readAll(incoming);
  assert.equal((await readAll(await open('/small'))).toString(), 'small');
  assert.ok(state.made < 60_000);
  await whole;
});

void test('what fails before anything is sent can still be answered', async (context) => {
  const { open, errors } = await server(context, function* (sink) {
    sink.text(LINE);
    yield;
    throw new Error('in the first chunk');
  });
  const incoming = await open();
  assert.equal(incoming.statusCode, 500);
  assert.match((await readAll(incoming)).toString(), /in the first chunk/);
  assert.deepEqual(errors, []);
});

void test('what fails later cuts the reply off, and is logged', async (context) => {
  const { open, errors } = await server(context, function* (sink) {
    for (let made = 0; made < (3 * CHUNK_BYTES) / BYTES.length; made++) {
      sink.text(LINE);
      yield;
    }
    throw new Error('in the middle');
  });
  const incoming = await open();
  assert.equal(incoming.statusCode, 200);
  await assert.rejects(readAll(incoming), /aborted/);
  assert.match(String((errors[0] as { error: Error }).error), /in the middle/);
});

void test('a client that knows no chunks gets the same bytes without them', async (context) => {
  const { produce } = lines(1000);
  const { port } = await server(context, produce);
  const socket = connect(port, '127.0.0.1');
  context.after(() => socket.destroy());
  socket.write('GET / HTTP/1.0\r\n\r\n');
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  const reply = Buffer.concat(parts);
  assert.equal(reply.subarray(reply.indexOf('\r\n\r\n') + 4).toString(), LINE.repeat(1000));
});
