import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadLibc } from './linux/libc.ts';
import { findNetworkNamespace } from './linux/network-namespace.ts';
import { processesInNamespace } from './linux/process-table.ts';
import type { OvsNetwork } from './ovs-network.ts';
import { plugIn, SILENCE_MS } from './testing/tap-guest.ts';
import { cannotNetwork, networkOptions, testNetwork } from './testing/test-network.ts';
import { until } from './testing/until.ts';
import { runTool } from './tools.ts';

const DAEMONS = ['dnsmasq', 'ovs-vswitchd', 'ovsdb-server'];

suite('a host network that something kills', { skip: cannotNetwork, concurrency: false }, () => {
  for (const daemon of DAEMONS) {
    test(`starts ${daemon} again, and serves guests by its rules`, async (t) => {
      const { guest, network } = await testNetwork(t);
      const [a, b] = [await guest('a'), await guest('b')];
      const { address } = await b.dhcp();
      const former = pidsOf(network, daemon);
      for (const pid of former) process.kill(pid, 'SIGKILL');
      await until(() => pidsOf(network, daemon).some((pid) => !former.includes(pid)));
      await until(async () => (await a.arp(address, 100)) === b.mac);
      await until(() =>
        a.dhcp(500).then(
          () => true,
          () => false,
        ),
      );
      await guest('c'); // the switch takes changes
      assert.deepEqual(programs(network), DAEMONS);
    });
  }

  test('refuses forged frames again after the switch was killed', async (t) => {
    const { guest, network } = await testNetwork(t);
    const { portGroups } = network.configuration;
    const strict = portGroups.map((group) => ({ ...group, security: { forgedTransmits: false } }));
    await network.apply({ ...network.configuration, portGroups: strict });
    const [a, b] = [await guest('a'), await guest('b')];
    b.setAddress('192.0.2.10');
    const [former] = pidsOf(network, 'ovs-vswitchd');
    process.kill(former ?? 0, 'SIGKILL');
    // Without flows a switch in fail mode `secure` passes nothing, so the first answer tells that the flows are back.
    await until(async () => (await a.arp('192.0.2.10', 100)) === b.mac);
    a.send({ destination: b.mac, source: '00:50:56:22:22:22', type: 0x88b5, payload: Buffer.from('forged') });
    assert.equal(await b.wait(({ type }) => (type === 0x88b5 ? true : undefined), SILENCE_MS), undefined);
  });

  test('is found as it was by the next hostd: same daemons, same ports, same leases', async (t) => {
    const { guest, network, restart } = await testNetwork(t);
    const [a, b] = [await guest('a'), await guest('b')];
    const { address } = await b.dhcp();
    const before = pids(network);
    const next = await restart();
    assert.deepEqual(pids(next), before);
    assert.deepEqual(
      next
        .ports()
        .map(({ portKey }) => portKey)
        .sort(),
      ['a-4000', 'b-4000'],
    );
    assert.equal(await a.arp(address), b.mac);
    await next.adopt(new Set(['b-4000']));
    assert.deepEqual(
      next.ports().map(({ portKey }) => portKey),
      ['b-4000'],
    );
    assert.equal((await b.dhcp()).address, address);
  });

  test('keeps a guest’s port through the death of its hostd', async (t) => {
    const { network, stateDir, guest } = await testNetwork(t);
    await network.stop();
    const host = await crashingHost(t, stateDir, 'killed-4000');
    await host.ready;
    host.child.kill('SIGKILL');
    await once(host.child, 'exit');
    await network.start();
    assert.deepEqual(
      network.ports().map(({ portKey }) => portKey),
      ['killed-4000'],
    );
    const survivor = plugIn(
      await network.attach({
        portKey: 'killed-4000',
        mac: '00:50:56:00:00:aa',
        portGroup: 'VM Network',
        vmName: 'killed',
      }),
      '00:50:56:00:00:aa',
    );
    t.after(() => survivor.close());
    survivor.setAddress('192.0.2.10');
    assert.equal(await (await guest('a')).arp('192.0.2.10'), survivor.mac);
  });

  test('is whole after a start that follows a kill at any moment of an earlier start', async (t) => {
    const { network, stateDir, guest } = await testNetwork(t);
    for (const delayMs of [130, 170, 210, 260, 320, 400]) {
      await network.stop({ teardown: true });
      const { child, ready } = await crashingHost(t, stateDir, 'half-4000');
      await Promise.race([ready, new Promise((resolve) => setTimeout(resolve, delayMs))]);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await network.start();
      await network.adopt(new Set());
      assert.deepEqual(network.ports(), []);
      assert.deepEqual(programs(network), DAEMONS, `killed after ${delayMs} ms`);
      const a = await guest(`a${delayMs}`);
      await a.dhcp(500);
      a.close();
    }
  });

  test('leaves nothing on the machine when it is torn down', async (t) => {
    const { network, guest } = await testNetwork(t);
    (await guest('a')).close();
    const name = network.namespaceName;
    const running = pids(network);
    assert.ok(networkInterfaces()[name]);
    await network.stop({ teardown: true });
    assert.equal(networkInterfaces()[name], undefined);
    assert.equal(existsSync(`/run/netns/${name}`), false);
    for (const pid of running) assert.equal(existsSync(`/proc/${pid}`), false);
    const tables = await runTool(networkOptions('').tools, { program: '/usr/sbin/nft', args: ['list', 'tables'] });
    assert.doesNotMatch(tables, new RegExp(name));
    assert.doesNotMatch(readFileSync('/proc/net/route', 'utf8'), new RegExp(name));
  });
});

function found(network: OvsNetwork) {
  const namespace = findNetworkNamespace(loadLibc(), network.namespaceName);
  namespace?.close();
  const processes = namespace ? processesInNamespace(namespace.identity) : [];
  return processes.filter(({ arguments: [program] }) => program?.startsWith('/usr/sbin/'));
}

const nameOf = (args: readonly string[]) => args[0]?.split('/').at(-1) ?? '';
const programs = (network: OvsNetwork) =>
  found(network)
    .map((process) => nameOf(process.arguments))
    .sort();
const pids = (network: OvsNetwork) =>
  found(network)
    .map(({ pid }) => pid)
    .sort();
const pidsOf = (network: OvsNetwork, program: string) =>
  found(network)
    .filter((process) => nameOf(process.arguments) === program)
    .map(({ pid }) => pid);

async function crashingHost(
  t: TestContext,
  stateDir: string,
  portKey: string,
): Promise<{ child: ChildProcess; ready: Promise<unknown> }> {
  const script = fileURLToPath(import.meta.resolve('./testing/crashing-host.ts'));
  const child = spawn(process.execPath, [script, stateDir, portKey], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  return { child, ready: once(child.stdout, 'data') };
}
