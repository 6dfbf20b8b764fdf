import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { suite, type TestContext, test } from 'node:test';
import { INITIAL_CONFIGURATION, type NetworkConfiguration, type NicTeaming } from './configuration.ts';
import { loadLibc } from './linux/libc.ts';
import { findNetworkNamespace } from './linux/network-namespace.ts';
import { processesInNamespace } from './linux/process-table.ts';
import { ipBatch } from './machine/host-link.ts';
import { readPhysicalDevices } from './machine/machine-network.ts';
import { NetworkError } from './provider.ts';
import { cable } from './testing/cable.ts';
import { SILENCE_MS } from './testing/tap-guest.ts';
import { cannotNetwork, networkOptions, type TestNetwork, testNetwork } from './testing/test-network.ts';
import { until } from './testing/until.ts';
import { runTool } from './tools.ts';

const [vSwitch0] = INITIAL_CONFIGURATION.switches;
assert.ok(vSwitch0);
const GROUPS = { ten: 10, twenty: 20, untagged: 0, trunk: 4095 };

/** vSwitch0 with these uplinks and port groups of several VLANs. */
function uplinked(uplinks: readonly string[], teaming?: NicTeaming): NetworkConfiguration {
  return {
    ...INITIAL_CONFIGURATION,
    switches: [{ ...vSwitch0, uplinks, ...(teaming ? { teaming } : {}) } as (typeof INITIAL_CONFIGURATION.switches)[0]],
    portGroups: [
      ...INITIAL_CONFIGURATION.portGroups,
      ...Object.entries(GROUPS).map(([name, vlanId]) => ({ name, vswitchName: 'vSwitch0', vlanId, security: {} })),
    ],
  };
}

suite('a switch with uplinks', { skip: cannotNetwork, concurrency: false }, () => {
  async function twoHosts(t: TestContext, cables = 1, teaming?: NicTeaming) {
    const ends = await Promise.all(Array.from({ length: cables }, () => cable(t)));
    const names = ends.map((_, index) => `vmnic${index}`);
    const host = (side: 0 | 1) =>
      testNetwork(
        t,
        uplinked(names, teaming),
        ends.map((pair) => pair[side]),
      );
    return { ends, one: await host(0), other: await host(1) };
  }

  test('joins guests of two hosts in a VLAN, and keeps them from others', async (t) => {
    const { one, other } = await twoHosts(t);
    const [ten, twenty] = [await one.guest('a', { portGroup: 'ten' }), await one.guest('b', { portGroup: 'twenty' })];
    const far = await other.guest('c', { portGroup: 'ten', mac: '00:50:56:00:00:0c' });
    far.setAddress('192.0.2.10');
    assert.equal(await ten.arp('192.0.2.10'), far.mac);
    assert.equal(await twenty.arp('192.0.2.10', SILENCE_MS), undefined);
  });

  test('sends the frames of a VLAN with its tag, and those of none without', async (t) => {
    const { one, other } = await twoHosts(t);
    const trunk = await other.guest('d', { portGroup: 'trunk', mac: '00:50:56:00:00:0d' });
    for (const [portGroup, vlanId] of [['twenty', 20] as const, ['untagged', undefined] as const]) {
      const guest = await one.guest(portGroup, { portGroup });
      guest.send({ destination: 'ff:ff:ff:ff:ff:ff', source: guest.mac, type: 0x88b5, payload: Buffer.from('hello') });
      const heard = await trunk.wait((frame) => (frame.source === guest.mac ? { vlanId: frame.vlanId } : undefined));
      assert.deepEqual(heard, { vlanId });
    }
  });

  test('keeps the host’s own DHCP to itself', async (t) => {
    const { one } = await twoHosts(t);
    await assert.rejects((await one.guest('a')).dhcp(SILENCE_MS), /no DHCP answer/);
  });

  test('shows a link that is lost, and that came back', async (t) => {
    const { one, other } = await twoHosts(t);
    const link = () => one.network.adapters().map(({ name, hasLink, speedMbps }) => [name, hasLink, speedMbps]);
    await until(() => link().join() === 'vmnic0,true,10000');
    await setLink(other, 'vmnic0', 'down');
    await until(() => link().join() === 'vmnic0,false,');
    await setLink(other, 'vmnic0', 'up');
    await until(() => link().join() === 'vmnic0,true,10000');
  });

  test('goes on by another uplink when one is lost, and brings every frame once', async (t) => {
    const { one, other } = await twoHosts(t, 2);
    const [a, far] = [
      await one.guest('a', { portGroup: 'ten' }),
      await other.guest('c', { portGroup: 'ten', mac: '00:50:56:00:00:0c' }),
    ];
    far.setAddress('192.0.2.10');
    for (const lost of ['vmnic0', 'vmnic1', undefined]) {
      if (lost !== undefined) await setLink(other, lost, 'down');
      await until(async () => (await a.arp('192.0.2.10', 100)) === far.mac);
      const before = far.seen.length;
      a.send({ destination: 'ff:ff:ff:ff:ff:ff', source: a.mac, type: 0x88b5, payload: Buffer.from(String(lost)) });
      await far.wait(({ type, payload }) => (type === 0x88b5 && payload.includes(String(lost)) ? true : undefined));
      assert.equal(far.seen.slice(before).filter(({ type }) => type === 0x88b5).length, 1);
      if (lost !== undefined) await setLink(other, lost, 'up');
    }
    await setLink(other, 'vmnic0', 'down');
    await setLink(other, 'vmnic1', 'down');
    await until(async () => (await a.arp('192.0.2.10', 100)) === undefined);
  });

  test('announces a port in its VLAN when it speaks by another uplink', async (t) => {
    const order = (first: string, second: string): NicTeaming => ({
      policy: 'failover_explicit',
      active: [first],
      standby: [second],
    });
    const { one, other } = await twoHosts(t, 2, order('vmnic1', 'vmnic0'));
    const trunk = await other.guest('d', { portGroup: 'trunk', mac: '00:50:56:00:00:0d' });
    await until(() => [one, other].every(({ network }) => network.adapters().every(({ hasLink }) => hasLink)));
    await one.network.apply(uplinked(['vmnic0', 'vmnic1'], order('vmnic0', 'vmnic1')));
    const a = await one.guest('a', { portGroup: 'ten' });
    const before = trunk.seen.length;
    await one.network.apply(uplinked(['vmnic0', 'vmnic1'], order('vmnic1', 'vmnic0')));
    const RARP = 0x8035;
    const heard = await trunk.wait((frame) =>
      frame.type === RARP && frame.source === a.mac && trunk.seen.indexOf(frame) >= before
        ? { vlanId: frame.vlanId }
        : undefined,
    );
    assert.deepEqual(heard, { vlanId: 10 });
  });

  test('is found by the next hostd with its uplink at work', async (t) => {
    const { one, other } = await twoHosts(t);
    const far = await other.guest('c', { portGroup: 'ten', mac: '00:50:56:00:00:0c' });
    far.setAddress('192.0.2.10');
    const a = await one.guest('a', { portGroup: 'ten' });
    await one.network.stop();
    assert.equal(await a.arp('192.0.2.10'), far.mac); // nobody looks after it
    await one.restart();
    assert.equal(await a.arp('192.0.2.10'), far.mac);
    const [daemon] = switchDaemons(one);
    process.kill(daemon ?? 0, 'SIGKILL');
    await until(async () => (await a.arp('192.0.2.10', 100)) === far.mac);
  });

  test('gives its adapter back as it was', async (t) => {
    const [near] = await cable(t);
    await ipBatch(networkOptions('').tools, [`link set ${near} mtu 1400`]);
    const ofMachine = () => readPhysicalDevices([near]).find(({ device }) => device === near);
    const before = ofMachine();
    const { network } = await testNetwork(t, uplinked([]), [near]);
    for (const giveBack of [() => network.apply(uplinked([])), () => network.stop({ teardown: true })]) {
      await network.apply(uplinked(['vmnic0']));
      assert.equal(ofMachine(), undefined);
      await giveBack();
      await until(() => ofMachine()?.hasLink === true);
      assert.deepEqual(ofMachine(), before);
    }
  });

  test('serves its guests itself again when its last uplink is gone', async (t) => {
    const [near] = await cable(t);
    const { network, guest } = await testNetwork(t, uplinked(['vmnic0']), [near]);
    const a = await guest('a');
    await assert.rejects(a.dhcp(SILENCE_MS), /no DHCP answer/);
    await network.apply(uplinked([]));
    await until(() =>
      a.dhcp(500).then(
        () => true,
        () => false,
      ),
    );
  });

  test('finishes what a killed hostd had begun to give back', async (t) => {
    const [near] = await cable(t);
    const ofMachine = () => readPhysicalDevices([near]).find(({ device }) => device === near);
    const before = ofMachine();
    const host = await testNetwork(t, uplinked(['vmnic0']), [near]);
    await host.network.stop();
    const namespace = findNetworkNamespace(loadLibc(), host.network.namespaceName);
    assert.ok(namespace);
    const args = ['link', 'set', 'dev', 'vmnic0', 'netns', '/proc/self/fd/3', 'name', near];
    const machine = openSync('/proc/self/ns/net', 'r');
    await runTool(networkOptions('').tools, { program: '/usr/bin/ip', args, namespace, descriptor: machine });
    closeSync(machine);
    namespace.close();
    assert.notDeepEqual(ofMachine(), before);
    await host.restart(uplinked([]));
    await until(() => ofMachine()?.hasLink === true);
    assert.deepEqual(ofMachine(), before);
  });

  test('leaves an adapter that another host has to it', async (t) => {
    const [near] = await cable(t);
    const first = await testNetwork(t, uplinked(['vmnic0']), [near]);
    const second = await testNetwork(t, uplinked([]), [near]);
    assert.deepEqual(second.network.adapters(), []);
    await assert.rejects(second.network.apply(uplinked(['vmnic0'])), NetworkError);
    assert.deepEqual(second.network.configuration, uplinked([]));
    assert.equal(first.network.adapters().length, 1);
  });

  test('starts without an uplink that is not there, and takes it with the next change', async (t) => {
    const [near, far] = await cable(t);
    const { tools } = networkOptions('');
    const host = await testNetwork(t, uplinked(['vmnic0']), [near]);
    await host.network.stop({ teardown: true });
    await ipBatch(tools, [`link delete ${near}`]);
    await host.restart();
    assert.deepEqual(host.network.adapters(), []);
    await ipBatch(tools, [`link add ${near} type veth peer name ${far}`, `link set ${far} up`]);
    await host.network.apply({ ...host.network.configuration });
    await until(() => host.network.adapters()[0]?.hasLink === true);
  });
});

async function setLink(host: TestNetwork, adapter: string, state: 'up' | 'down'): Promise<void> {
  const namespace = findNetworkNamespace(loadLibc(), host.network.namespaceName);
  assert.ok(namespace);
  await ipBatch(networkOptions('').tools, [`link set ${adapter} ${state}`], namespace);
  namespace.close();
}

function switchDaemons(host: TestNetwork): number[] {
  const namespace = findNetworkNamespace(loadLibc(), host.network.namespaceName);
  assert.ok(namespace);
  const processes = processesInNamespace(namespace.identity);
  namespace.close();
  return processes.flatMap(({ pid, arguments: [program] }) => (program?.endsWith('/ovs-vswitchd') ? [pid] : []));
}
