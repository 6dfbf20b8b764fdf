import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import { suite, test } from 'node:test';
import { systemClock, systemRandom } from '@vivarium/base/node';
import fc from 'fast-check';
import { AgentError, AgentUnavailableError, GuestAgent } from './guest-agent.ts';
import {
  agentInfo,
  hostName,
  networkInterfaces,
  osInfo,
  parseFileSystems,
  parseInterfaces,
  parseOsInfo,
  ping,
} from './guest-facts.ts';
import { execInGuest, shutdown } from './guest-orders.ts';

type Request = { execute: string; arguments?: Record<string, unknown> };

/** A guest whose agent answers as a test says: bytes, or nothing. It obeys guest-sync-delimited by itself unless told not to. */
function guest(answer: (request: Request) => unknown, options: { syncs?: boolean; maxBytes?: number } = {}) {
  const [client, server] = duplexPair();
  const requests: string[] = [];
  let pending = Buffer.alloc(0);
  server.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let end = pending.indexOf(0x0a); end !== -1; end = pending.indexOf(0x0a)) {
      const line = pending.subarray(pending.lastIndexOf(0xff, end) + 1, end).toString();
      pending = pending.subarray(end + 1);
      const request = JSON.parse(line) as Request;
      requests.push(request.execute);
      if (request.execute === 'guest-sync-delimited' && options.syncs !== false) {
        server.write(
          Buffer.concat([Buffer.of(0xff), Buffer.from(`${JSON.stringify({ return: request.arguments?.['id'] })}\n`)]),
        );
      } else {
        reply(server, answer(request));
      }
    }
  });
  const { maxBytes } = options;
  const limits = maxBytes === undefined ? {} : { maxBytes };
  const agent = new GuestAgent(client, { clock: systemClock, random: systemRandom, timeoutMs: 50, ...limits });
  return { agent, requests, server };
}

function reply(server: Duplex, value: unknown): void {
  if (value === undefined) return;
  server.write(typeof value === 'string' || Buffer.isBuffer(value) ? value : `${JSON.stringify(value)}\n`);
}

void suite('the guest agent', () => {
  void test('is brought in step once, then asked', async () => {
    const { agent, requests } = guest(() => ({ return: { 'host-name': 'web01' } }));
    assert.equal(await hostName(agent), 'web01');
    assert.equal(await hostName(agent), 'web01');
    assert.deepEqual(requests, ['guest-sync-delimited', 'guest-get-host-name', 'guest-get-host-name']);
  });

  void test('is brought in step again after it was silent, and its late answer is not taken for the next one', async () => {
    let isSilent = true;
    const { agent, requests, server } = guest(({ execute }) =>
      isSilent ? undefined : { return: { 'host-name': execute } },
    );
    await assert.rejects(ping(agent), AgentUnavailableError);
    isSilent = false;
    server.write('{"return":{"host-name":"too late"}}\n');
    assert.equal(await hostName(agent), 'guest-get-host-name');
    assert.deepEqual(requests, ['guest-sync-delimited', 'guest-ping', 'guest-sync-delimited', 'guest-get-host-name']);
  });

  void test('is not believed when it never agrees on the beginning', async () => {
    const { agent } = guest(() => ({ return: 1 }), { syncs: false });
    await assert.rejects(ping(agent), AgentUnavailableError);
  });

  void test('cannot make us keep more than the limit', async () => {
    const { agent } = guest(() => 'x'.repeat(5000), { maxBytes: 1000 });
    await assert.rejects(ping(agent), /more than its limit/);
  });

  void test('refuses in its own words', async () => {
    const { agent } = guest(() => ({ error: { class: 'CommandNotFound', desc: 'no such thing' } }));
    await assert.rejects(ping(agent), (error: unknown) => {
      assert.ok(error instanceof AgentError);
      assert.equal(error.class, 'CommandNotFound');
      return true;
    });
  });

  void test('may answer nonsense', async () => {
    for (const answer of ['nonsense\n', '7\n', '{}\n', 'null\n', '{"error":5}\n', Buffer.from([0x80, 0x81, 0x0a])]) {
      const { agent } = guest(() => answer);
      await assert.rejects(hostName(agent), AgentError);
    }
  });

  void test('does not answer an order to shut down, except to refuse it', async () => {
    await shutdown(guest(() => undefined).agent, 'powerdown');
    const refusing = guest(() => ({ error: { class: 'GenericError', desc: 'no' } }));
    await assert.rejects(shutdown(refusing.agent, 'reboot'), AgentError);
  });

  void test('is gone when the connection is', async () => {
    const { agent, server } = guest(() => undefined);
    const asked = ping(agent, 10_000);
    setImmediate(() => server.destroy());
    await assert.rejects(asked, AgentUnavailableError);
    await agent.closed;
    await assert.rejects(ping(agent), AgentUnavailableError);
  });

  void test('runs a program to its end', async () => {
    let asked = 0;
    const { agent } = guest(({ execute }) => {
      if (execute === 'guest-exec') return { return: { pid: 7 } };
      asked += 1;
      return {
        return: asked < 3 ? { exited: false } : { exited: true, exitcode: 3, 'out-data': 'aGk=', 'err-data': 5 },
      };
    });
    const result = await execInGuest(agent, { path: '/bin/true', args: [], timeoutMs: 5000 });
    assert.deepEqual([result.exitCode, result.stdout.toString(), result.stderr.length], [3, 'hi', 0]);
  });
});

void suite('what a guest says of itself', () => {
  void test('is read', async () => {
    const answers: Record<string, unknown> = {
      'guest-info': {
        version: '10.0',
        supported_commands: [
          { name: 'guest-ping', enabled: true },
          { name: 'guest-exec', enabled: false },
        ],
      },
      'guest-get-osinfo': { id: 'debian', 'pretty-name': 'Debian 13', 'kernel-release': '6.12' },
      'guest-network-get-interfaces': [
        {
          name: 'ens192',
          'hardware-address': '00:50:56:AB:00:01',
          'ip-addresses': [
            { 'ip-address': '10.0.0.5', prefix: 24 },
            { 'ip-address': 'fe80::1', prefix: 64 },
          ],
        },
      ],
    };
    const { agent } = guest(({ execute }) => ({ return: answers[execute] }));
    assert.deepEqual(await agentInfo(agent), { version: '10.0', commands: ['guest-ping'] });
    assert.deepEqual(await osInfo(agent), { id: 'debian', prettyName: 'Debian 13', kernelRelease: '6.12' });
    assert.deepEqual(await networkInterfaces(agent), [
      {
        name: 'ens192',
        mac: '00:50:56:ab:00:01',
        addresses: [
          { address: '10.0.0.5', prefixLength: 24 },
          { address: 'fe80::1', prefixLength: 64 },
        ],
      },
    ]);
  });

  void test('is cut and cleaned: control characters, lone surrogates, lengths, counts, wrong addresses', () => {
    const long = { name: `e\u0000\u001b[31m${'x'.repeat(1000)}\ud800`, 'hardware-address': 'zz' };
    const addresses = [
      { 'ip-address': '300.1.1.1', prefix: 8 },
      { 'ip-address': '10.0.0.1', prefix: 33 },
      { 'ip-address': '::1', prefix: 128 },
    ];
    const [first] = parseInterfaces([{ ...long, 'ip-addresses': addresses }]);
    assert.equal(first?.name.length, 255);
    assert.ok(first?.name.isWellFormed());
    assert.doesNotMatch(first?.name ?? '', /\p{Cc}/u);
    assert.equal(first?.mac, undefined);
    assert.deepEqual(first?.addresses, [{ address: '::1', prefixLength: 128 }]);
    assert.equal(parseInterfaces(Array.from({ length: 5000 }, () => ({ name: 'a' }))).length, 128);
    const root = { mountpoint: '/', type: 'ext4', 'total-bytes': 1000, 'used-bytes': 400, disk: [] };
    const wrong = [
      { ...root, 'used-bytes': 1001 },
      { ...root, 'total-bytes': -1 },
      { ...root, 'total-bytes': '1000' },
      { mountpoint: '/unmeasured', type: 'ext4' },
      null,
    ];
    assert.deepEqual(parseFileSystems([root, ...wrong]), [
      { mountPoint: '/', type: 'ext4', capacityBytes: 1000, freeBytes: 600 },
    ]);
    assert.equal(parseFileSystems(Array.from({ length: 5000 }, () => root)).length, 128);
  });

  void test('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        assert.ok(Array.isArray(parseInterfaces(value)));
        assert.equal(typeof parseOsInfo(value), 'object');
      }),
    );
  });
});
