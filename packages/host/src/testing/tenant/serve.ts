// For tests: a whole hostd on a simulated machine, served by HTTPS on loopback, and a list of the doors that somebody has come
// through. What its VMs show is a socket of the test's.
import diagnostics from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { recordRoutes, type Served } from '@vivarium/vmomi/testing/tenant';
import type { FastifyInstance } from 'fastify';
import { type Hostd, startHostd } from '../../hostd.ts';
import type { HostMachine } from '../../machine/host-machine.ts';
import { INITIAL_CONFIGURATION } from '../../network/configuration.ts';
import { statePaths } from '../../options.ts';
import { simulatedHostMachine } from '../../simulated/simulated-host-machine.ts';
import type { Vmm } from '../../vm/vmm.ts';
import { TEST_FACTS } from '../test-facts.ts';

export interface ServedHost extends Served {
  readonly hostd: Hostd;
  /** Of the test's own, gone after it. */
  readonly directory: string;
}

export async function serveHost(context: TestContext): Promise<ServedHost> {
  // In memory where that is to be had: everything is written with fsync.
  const directory = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'viv-tenant-'));
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rm(directory, { recursive: true }));
  const machine = showing(await listenVnc(directory, undo), testMachine());
  const made: { hostd?: Hostd } = {};
  const service = () => {
    if (!made.hostd) throw new Error('the host is asked before it serves');
    return made.hostd.service;
  };
  const app = await firstServerOf(
    async () => {
      const stateDir = join(directory, 'state');
      await mkdir(stateDir);
      made.hostd = await startHostd(
        {
          stateDir,
          name: 'esx.tenant-test',
          listen: { address: '127.0.0.1', port: 0 },
          runtimePath: '',
          cacheDir: statePaths(stateDir).run,
        },
        { clock: systemClock, random: systemRandom, log: silentLogger, version: '1', machine },
      );
    },
    (server) => recordRoutes(server, service),
  );
  const { hostd } = made;
  if (!hostd) throw new Error('the host does not serve');
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  undo.defer(() => hostd.close());
  undo.defer(() => agent.destroy());
  const all = undo.move();
  context.after(() => all.disposeAsync());
  const send: Served['send'] = (method, path, headers, body) =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = { host: '127.0.0.1', port: hostd.port, method, path, agent, headers: { ...headers, ...length } };
      const outgoing = request(options, (incoming) => {
        const contentType = incoming.headers['content-type'] ?? '';
        const status = incoming.statusCode ?? 0;
        text(incoming).then((said) => resolve({ status, contentType, text: said }), reject);
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  return { ...app, url: `https://127.0.0.1:${hostd.port}`, send, hostd, directory };
}

/** Fastify tells of every server before it has a route. */
async function firstServerOf<T>(start: () => Promise<void>, record: (server: FastifyInstance) => T): Promise<T> {
  const recorded: T[] = [];
  const listener = (message: unknown) => {
    recorded.push(record((message as { fastify: FastifyInstance }).fastify));
  };
  diagnostics.subscribe('fastify.initialization', listener);
  try {
    await start();
  } finally {
    diagnostics.unsubscribe('fastify.initialization', listener);
  }
  const [first, ...others] = recorded;
  if (!first || others.length > 0) throw new Error(`${recorded.length} servers were made`);
  return first;
}

function testMachine(): HostMachine {
  return simulatedHostMachine(
    {
      facts: TEST_FACTS,
      network: {
        hostName: 'esx',
        domainName: 'tenant-test',
        addresses: [],
        addresses6: [],
        routes: [],
        physical: [],
        resolvers: [],
        searchDomains: [],
      },
      blockDevices: [],
      services: [],
      timeServers: [],
    },
    { clock: systemClock, configuration: INITIAL_CONFIGURATION },
  );
}

/** Greets whoever opens a screen. */
async function listenVnc(directory: string, undo: AsyncDisposableStack): Promise<string> {
  const path = join(directory, 'vnc.sock');
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
    socket.write('RFB 003.008\n');
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  undo.defer(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return path;
}

/** The machine, with one screen for all its VMs. */
function showing(vncSocket: string, machine: HostMachine): HostMachine {
  return {
    ...machine,
    vmms(datastoreRoot) {
      const factory = machine.vmms(datastoreRoot);
      return {
        adopt: (vm, events) => factory.adopt(vm, events),
        start: async (spec, events) =>
          Object.create(await factory.start(spec, events), { vncSocket: { value: vncSocket } }) as Vmm,
      };
    },
  };
}
