import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { WebSocket } from 'ws';
import { until } from '../testing/virtual-clock.ts';
import { openConsoleDoor } from './console-door.ts';
import { consoleTickets } from './console-tickets.ts';

/** A door with one VM, `7`, whose screen is a socket of the test's. */
async function door(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'viv-console-'));
  const path = join(directory, 'vnc.sock');
  const screens: Socket[] = [];
  const vnc = createServer((socket) => void screens.push(socket));
  vnc.listen(path);
  await once(vnc, 'listening');
  const tickets = consoleTickets({ clock: systemClock, random: systemRandom });
  const counts: [string, number][] = [];
  const server = createHttpServer();
  const opened = openConsoleDoor(server, {
    tickets,
    vncSocket: (vm) => (vm === '7' ? path : undefined),
    count: (vm, change) => void counts.push([vm, change]),
    log: silentLogger,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    opened.close();
    for (const screen of screens) screen.destroy();
    server.close();
    vnc.close();
    await rm(directory, { recursive: true });
  });
  const { port } = server.address() as AddressInfo;
  const connect = (ticket: string) => new WebSocket(`ws://127.0.0.1:${port}/ticket/${ticket}`, ['binary']);
  const screen = async () => {
    const [socket] = screens.length > 0 ? screens : ((await once(vnc, 'connection')) as Socket[]);
    assert.ok(socket);
    return socket;
  };
  return { server, port, tickets, counts, connect, screen };
}

async function refused(socket: WebSocket): Promise<string> {
  const [error] = (await once(socket, 'error')) as [Error];
  return error.message;
}

void test('a ticket opens the screen: bytes pass unchanged both ways, and the viewer is counted', async (t) => {
  const { tickets, counts, connect, screen } = await door(t);
  const viewer = connect(tickets.issue({ vm: '7', userName: 'ann' }));
  await once(viewer, 'open');
  assert.equal(viewer.protocol, 'binary');
  const vnc = await screen();
  vnc.write('RFB 003.008\n');
  const [greeting] = (await once(viewer, 'message')) as [Buffer];
  assert.equal(greeting.toString(), 'RFB 003.008\n');
  const bytes = Buffer.from([0, 255, 13, 10, 128]);
  viewer.send(bytes);
  const [heard] = (await once(vnc, 'data')) as [Buffer];
  assert.deepEqual(heard, bytes);
  assert.deepEqual(counts, [['7', 1]]);
  vnc.end();
  await until('the viewer is counted off', () => counts.length === 2);
  assert.deepEqual(counts[1], ['7', -1]);
});

void test('a viewer who leaves closes the screen’s side', async (t) => {
  const { tickets, connect, screen } = await door(t);
  const viewer = connect(tickets.issue({ vm: '7', userName: 'ann' }));
  await once(viewer, 'open');
  const vnc = await screen();
  vnc.resume();
  viewer.close();
  await once(vnc, 'close');
});

void test('a ticket that is used, made up, or for a VM that does not run opens nothing', async (t) => {
  const { tickets, counts, connect } = await door(t);
  const ticket = tickets.issue({ vm: '7', userName: 'ann' });
  const viewer = connect(ticket);
  await once(viewer, 'open');
  assert.match(await refused(connect(ticket)), /403/);
  assert.match(await refused(connect('0'.repeat(48))), /403/);
  assert.match(await refused(connect('../../etc/passwd')), /403/);
  assert.match(await refused(connect(tickets.issue({ vm: '8', userName: 'ann' }))), /403/);
  viewer.close();
  await once(viewer, 'close');
  assert.equal(counts.filter(([, change]) => change === 1).length, 1);
});

void test('a refused client that goes away, or stays, leaves nothing behind', async (t) => {
  const { server, port } = await door(t);
  const accepted: Socket[] = [];
  server.on('connection', (socket: Socket) => void accepted.push(socket));
  const ask = () => {
    const client = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
    client.write('GET /ticket/0 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    return client;
  };
  const gone = ask();
  const upgraded = once(server, 'upgrade');
  await upgraded;
  gone.resetAndDestroy();
  const staying = ask();
  await until(
    'both connections to be closed',
    () => accepted.length === 2 && accepted.every((socket) => socket.destroyed),
  );
  staying.destroy();
});
