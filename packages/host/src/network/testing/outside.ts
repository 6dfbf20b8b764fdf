// A stranger beyond the machine, for tests: a network namespace on a cable of its own, with a UDP server that answers with
// the address that it was asked from.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { ensureNetworkNamespace } from '../linux/network-namespace.ts';
import { ipBatch } from '../machine/host-link.ts';
import { runTool } from '../tools.ts';
import { networkOptions } from './test-network.ts';

export interface Outside {
  readonly address: string;
  readonly port: number;
  /** The machine's own address on the way there. */
  readonly machineAddress: string;
}

const SERVER = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (_, { address, port }) => socket.send(address, port, address));
  socket.bind(9999, () => console.log('ready'));
`;

export async function outside(t: TestContext): Promise<Outside> {
  const { libc, tools } = networkOptions('');
  const id = randomBytes(4);
  const name = `vivt-${id.toString('hex')}`;
  const subnet = `198.18.${id[0]}.${(id[1] ?? 0) & 0xfc}`; // RFC 2544: for tests of networks
  const [machineAddress, address] = [1, 2].map((host) => subnet.replace(/\d+$/, (last) => String(Number(last) + host)));
  const namespace = ensureNetworkNamespace(libc, name);
  t.after(() => {
    namespace.remove();
    namespace.close();
  });
  const peer = ['peer', 'name', 'way', 'netns', '/proc/self/fd/3'];
  const args = ['link', 'add', name, 'type', 'veth', ...peer];
  await runTool(tools, { program: '/usr/bin/ip', args, descriptor: namespace.descriptor });
  t.after(() => ipBatch(tools, [`link delete ${name}`]).catch(() => undefined));
  await ipBatch(tools, [`address add ${machineAddress}/30 dev ${name}`, `link set ${name} up`]);
  await ipBatch(tools, [`address add ${address}/30 dev way`, 'link set way up'], namespace);
  const server = namespace.run(() => spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] }));
  t.after(() => server.kill('SIGKILL'));
  await once(server.stdout, 'data');
  return { address: address ?? '', machineAddress: machineAddress ?? '', port: 9999 };
}
