import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { openSdkTunnel } from './sdk-tunnel.ts';

/** Says what it has got so far, upside down. */
async function world(context: TestContext) {
  const tunnel = await openSdkTunnel({
    listen: { address: '127.0.0.1', port: 0 },
    accept: (socket) => socket.on('data', (bytes) => socket.end(bytes.toString().toUpperCase())),
  });
  context.after(() => tunnel.close());
  const ask = async (text: string): Promise<string> => {
    const socket = connect(tunnel.port, '127.0.0.1');
    socket.write(text);
    return readAll(socket);
  };
  return { tunnel, ask };
}

async function readAll(socket: Socket): Promise<string> {
  let said = '';
  socket.on('data', (bytes) => {
    said += bytes.toString();
  });
  await once(socket, 'close');
  return said;
}

void test('who asks for the SDK tunnel gets to vCenter, with what was sent already', async (context) => {
  const { ask, tunnel } = await world(context);
  const request = 'CONNECT sdkTunnel:8089 HTTP/1.1\r\nHost: sdkTunnel:8089\r\n\r\n';
  assert.equal(await ask(`${request}hello`), 'HTTP/1.1 200 Connection established\r\n\r\nHELLO');
  const socket = connect(tunnel.port, '127.0.0.1');
  socket.write(request.toLowerCase().replace('connect', 'CONNECT').replace('http', 'HTTP'));
  await once(socket, 'readable');
  socket.write('later');
  assert.match(await readAll(socket), /LATER$/);
});

void test('it leads nowhere else, and serves nothing itself', async (context) => {
  const { ask } = await world(context);
  for (const target of ['127.0.0.1:22', 'sdkTunnel:443', 'sdkTunnel', 'sdkTunnel:8089.example.org:80']) {
    assert.match(await ask(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\nhello`), /^HTTP\/1\.1 403 /, target);
  }
  for (const line of ['GET /sdk', 'POST http://sdkTunnel:8089/sdk', 'GET http://127.0.0.1:22/']) {
    const said = await ask(`${line} HTTP/1.1\r\nHost: sdkTunnel:8089\r\n\r\n`);
    assert.match(said, /^HTTP\/1\.1 405 [^]*allow: CONNECT/i, line);
    assert.doesNotMatch(said, /HELLO/);
  }
});

void test('it closes with whoever is in it', async (context) => {
  const { tunnel } = await world(context);
  const socket = connect(tunnel.port, '127.0.0.1');
  socket.write('CONNECT sdkTunnel:8089 HTTP/1.1\r\nHost: sdkTunnel:8089\r\n\r\n');
  await once(socket, 'readable');
  const closed = readAll(socket);
  await tunnel.close();
  assert.match(await closed, /^HTTP\/1\.1 200 /);
});
