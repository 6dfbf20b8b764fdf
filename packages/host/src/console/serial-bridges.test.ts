import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Clock, silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { make, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { SerialBridges } from './serial-bridges.ts';
import { parseServiceUri, serialWishes } from './serial-wish.ts';

interface Port {
  readonly serviceURI: string;
  readonly direction?: string;
  readonly proxyURI?: string;
  readonly connected?: boolean;
}

function config(...ports: Port[]): VirtualMachineConfigInfo {
  const device = ports.map(({ serviceURI, direction = 'server', proxyURI, connected = true }, index) =>
    make('VirtualSerialPort', {
      key: 9000 + index,
      yieldOnPoll: true,
      backing: make('VirtualSerialPortURIBackingInfo', { serviceURI, direction, ...(proxyURI ? { proxyURI } : {}) }),
      connectable: make('VirtualDeviceConnectInfo', { startConnected: true, allowGuestControl: true, connected }),
    }),
  );
  return { hardware: { device } } as unknown as VirtualMachineConfigInfo;
}

void test('a service URI names protocol, address and port', () => {
  assert.deepEqual(parseServiceUri('telnet://:33233'), { protocol: 'telnet', host: '', port: 33233 });
  assert.deepEqual(parseServiceUri('TCP://[::1]:7000'), { protocol: 'tcp', host: '::1', port: 7000 });
  for (const uri of [
    'localhost:0',
    'telnet://:0',
    'telnet://:65536',
    'telnets://:7000',
    'telnet://a b:7',
    'nonsense',
  ]) {
    assert.equal(parseServiceUri(uri), undefined, uri);
  }
});

void test('only connected ports that can be served are wished for', () => {
  const served = { serviceURI: 'telnet://:33233' };
  assert.equal(serialWishes(config(served)).length, 1);
  assert.equal(serialWishes(config({ ...served, connected: false })).length, 0);
  assert.equal(serialWishes(config({ ...served, proxyURI: 'telnet://proxy:13370' })).length, 0);
  assert.equal(serialWishes(config({ ...served, direction: 'client' })).length, 0, 'a client needs an address');
  assert.equal(serialWishes(config({ serviceURI: 'tcp://:443' })).length, 0, 'the machine keeps its own ports');
  assert.equal(serialWishes(config({ serviceURI: 'tcp://10.0.0.1:443', direction: 'client' })).length, 1);
});

async function listening(server: Server, where: string | number): Promise<void> {
  server.listen(where as number);
  await once(server, 'listening');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await listening(server, 0);
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Stands for QEMU's end of a serial port: answers in capitals. */
async function world(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'viv-serial-'));
  const path = join(folder, 'serial-9000.sock');
  const open = new Set<Socket>();
  const guest = createServer((line) => {
    open.add(line);
    line.on('data', (data) => line.write(Buffer.from(data.toString('latin1').toUpperCase(), 'latin1')));
    line.on('error', () => undefined);
    line.on('close', () => open.delete(line));
  });
  await listening(guest, path);
  const clock: Clock = { ...systemClock, setTimer: (_delayMs, fire) => systemClock.setTimer(1, fire) };
  const bridges = new SerialBridges({ address: '127.0.0.1', clock, log: silentLogger });
  context.after(async () => {
    bridges.close();
    guest.close();
    for (const line of open) line.destroy();
    await rm(folder, { recursive: true });
  });
  const follow = (isRunning: boolean, ...ports: Port[]) =>
    bridges.follow({ id: '7', config: config(...ports), serialSocket: () => path }, isRunning);
  return { follow };
}

async function read(socket: Socket, bytes: number): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += (chunk as Buffer).toString('latin1');
    if (text.length >= bytes) return text;
  }
  return text;
}

async function dial(port: number): Promise<Socket> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

void test('a server port carries bytes both ways, for one peer at a time, until the VM is off', async (context) => {
  const { follow } = await world(context);
  const port = await freePort();
  follow(true, { serviceURI: `tcp://:${port}` });
  const peer = await dial(port);
  peer.write('hello');
  assert.equal(await read(peer, 5), 'HELLO');
  const second = await dial(port);
  await once(second, 'close');
  follow(false, { serviceURI: `tcp://:${port}` });
  await once(peer, 'close');
  await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'));
});

void test('a telnet port greets, and a change of its address moves it', async (context) => {
  const { follow } = await world(context);
  const [first, second] = [await freePort(), await freePort()];
  follow(true, { serviceURI: `telnet://:${first}` });
  const peer = await dial(first);
  assert.equal(await read(peer, 12), '\xff\xfb\x01\xff\xfb\x03\xff\xfb\x00\xff\xfd\x00');
  peer.write(Buffer.from('a\xff\xfd\x01b', 'latin1'));
  assert.equal(await read(peer, 2), 'AB');
  follow(true, { serviceURI: `telnet://:${second}` });
  await once(peer, 'close');
  const moved = await dial(second);
  assert.equal((await read(moved, 12)).length, 12);
  moved.destroy();
});

void test('a client port calls its service, and calls again when that went away', async (context) => {
  const { follow } = await world(context);
  const service = createServer();
  await listening(service, 0);
  context.after(() => service.close());
  const { port } = service.address() as AddressInfo;
  follow(true, { serviceURI: `tcp://127.0.0.1:${port}`, direction: 'client' });
  for (const word of ['once', 'again']) {
    const [caller] = (await once(service, 'connection')) as [Socket];
    caller.write(word);
    assert.equal(await read(caller, word.length), word.toUpperCase());
    caller.destroy();
  }
});
