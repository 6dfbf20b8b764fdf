import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import {
  DEFAULT_SECURITY,
  INITIAL_CONFIGURATION,
  type NetworkConfiguration,
  type SecurityPolicy,
} from './configuration.ts';
import { ETHERTYPE } from './testing/frames.ts';
import { outside } from './testing/outside.ts';
import { ECHO_PORT, SILENCE_MS } from './testing/tap-guest.ts';
import { cannotNetwork, testNetwork } from './testing/test-network.ts';

suite('a host network on Open vSwitch', { skip: cannotNetwork, concurrency: false }, () => {
  test('gives a guest an address, its name, a gateway and a name server', async (t) => {
    const { guest, network } = await testNetwork(t);
    const lease = await (await guest('Web Server_1')).dhcp();
    assert.equal(lease.hostName, 'web-server-1');
    assert.equal(lease.router, lease.nameServer);
    assert.equal(lease.address.split('.').slice(0, 3).join(), lease.router.split('.').slice(0, 3).join());
    assert.ok(
      network.facts.every(({ ok }) => ok),
      JSON.stringify(network.facts),
    );
  });

  test('connects guests with each other and with the machine', async (t) => {
    const { guest } = await testNetwork(t);
    const [a, b] = [await guest('a'), await guest('b')];
    const [leaseA, leaseB] = [await a.dhcp(), await b.dhcp()];
    assert.equal(await a.arp(leaseB.address), b.mac);
    assert.equal(await b.askUdp({ address: leaseA.address, port: ECHO_PORT, via: leaseA.address }, 'hello'), 'hello');

    const socket = createSocket('udp4');
    t.after(() => socket.close());
    socket.send('from the machine', ECHO_PORT, leaseA.address);
    const [reply] = (await once(socket, 'message', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
    assert.equal(reply.toString(), 'from the machine');
  });

  test('lets guests out through the machine under the machine’s address', async (t) => {
    const { guest } = await testNetwork(t);
    const a = await guest('a');
    const { router } = await a.dhcp();
    const { address, port, machineAddress } = await outside(t);
    assert.equal(await a.askUdp({ address, port, via: router }, 'who am I?'), machineAddress);
  });

  test('keeps VLANs apart, and gives a trunk every VLAN with its tag', async (t) => {
    const { guest } = await testNetwork(t, withPortGroups({ ten: 10, twenty: 20, trunk: 4095 }));
    const ten = [await guest('a', { portGroup: 'ten' }), await guest('b', { portGroup: 'ten' })] as const;
    const twenty = await guest('c', { portGroup: 'twenty' });
    const trunk = await guest('d', { portGroup: 'trunk' });
    for (const other of [ten[1], twenty]) other.setAddress('192.0.2.10');

    assert.equal(await ten[0].arp('192.0.2.10'), ten[1].mac);
    const heard = await trunk.wait(({ source, vlanId }) => (source === ten[0].mac ? vlanId : undefined));
    assert.equal(heard, 10);
    assert.deepEqual(twenty.seen, []);

    trunk.send({
      destination: twenty.mac,
      source: trunk.mac,
      vlanId: 20,
      type: 0x88b5,
      payload: Buffer.from('tagged'),
    });
    const untagged = await twenty.wait(({ type, vlanId }) => (type === 0x88b5 ? { vlanId } : undefined));
    assert.deepEqual(untagged, { vlanId: undefined });
    twenty.send({ destination: ten[0].mac, source: twenty.mac, vlanId: 10, type: 0x88b5, payload: Buffer.from('hop') });
    assert.equal(await ten[0].wait(({ type }) => (type === 0x88b5 ? true : undefined), SILENCE_MS), undefined);
  });

  test('lets a guest reach the host’s own address only through the switch', async (t) => {
    const { guest } = await testNetwork(t, withPortGroups({ ten: 10 }));
    const [a, apart] = [await guest('a'), await guest('apart', { portGroup: 'ten' })];
    const { router } = await a.dhcp();
    const gateway = await a.arp(router);
    assert.match(gateway ?? '', /^00:50:56:6/);
    const other = await a.wait(
      ({ type, source }) => (type === ETHERTYPE.arp && source !== gateway ? source : undefined),
      SILENCE_MS,
    );
    assert.equal(other, undefined);
    apart.setAddress(router.replace(/\d+$/, '250'));
    assert.equal(await apart.arp(router, SILENCE_MS), undefined);
  });

  test('drops forged transmits where the port group refuses them, and lets them pass where it does not', async (t) => {
    const open = withPortGroups({ lab: 30 });
    const { guest, network } = await testNetwork(t, open);
    const [a, b] = [await guest('a', { portGroup: 'lab' }), await guest('b', { portGroup: 'lab' })];
    const forge = (source: string) =>
      a.send({ destination: b.mac, source, type: 0x88b5, payload: Buffer.from('forged') });
    const arrives = (source: string, withinMs?: number) =>
      b.wait((frame) => (frame.source === source ? true : undefined), withinMs);

    forge('00:50:56:11:11:11');
    assert.equal(await arrives('00:50:56:11:11:11'), true);
    await network.apply(withSecurity(open, 'lab', { forgedTransmits: false }));
    forge('00:50:56:22:22:22');
    assert.equal(await arrives('00:50:56:22:22:22', SILENCE_MS), undefined);
    forge(a.mac);
    assert.equal(await arrives(a.mac), true);
  });

  test('cuts off a guest that changes its address where the port group refuses that', async (t) => {
    const { guest, network } = await testNetwork(
      t,
      withSecurity(withPortGroups({ lab: 30 }), 'lab', { macChanges: false }),
    );
    const [a, b] = [await guest('a', { portGroup: 'lab' }), await guest('b', { portGroup: 'lab' })];
    b.setAddress('192.0.2.10');
    assert.equal(await a.arp('192.0.2.10'), b.mac);
    await network.setEffectiveMac('b-4000', '00:50:56:33:33:33');
    assert.equal(await a.arp('192.0.2.10', SILENCE_MS), undefined);
    await network.setEffectiveMac('b-4000', b.mac);
    assert.equal(await a.arp('192.0.2.10'), b.mac);
  });

  test('shows other guests’ traffic only to a port in promiscuous mode', async (t) => {
    const base = withPortGroups({ lab: 30, sniffer: 30 });
    const { guest, network } = await testNetwork(t, base);
    const [a, b] = [await guest('a', { portGroup: 'lab' }), await guest('b', { portGroup: 'lab' })];
    const sniffer = await guest('sniffer', { portGroup: 'sniffer' });
    const talk = async (text: string) => {
      a.send({ destination: b.mac, source: a.mac, type: 0x88b5, payload: Buffer.from(text) });
      assert.ok(await b.wait(({ payload }) => (payload.toString().startsWith(text) ? true : undefined)));
    };
    const overhears = (text: string, withinMs?: number) =>
      sniffer.wait(({ payload }) => (payload.toString().startsWith(text) ? true : undefined), withinMs);
    await talk('private');
    assert.equal(await overhears('private', SILENCE_MS), undefined);
    await network.apply(withSecurity(base, 'sniffer', { allowPromiscuous: true }));
    await talk('overheard');
    assert.equal(await overhears('overheard'), true);
  });

  test('moves a plugged guest to another port group, and counts its frames', async (t) => {
    const { guest, network } = await testNetwork(t, withPortGroups({ ten: 10, twenty: 20 }));
    const [a, b] = [await guest('a', { portGroup: 'ten' }), await guest('b', { portGroup: 'twenty' })];
    b.setAddress('192.0.2.10');
    assert.equal(await a.arp('192.0.2.10', SILENCE_MS), undefined);
    await network.move('a-4000', 'twenty');
    assert.equal(await a.arp('192.0.2.10'), b.mac);
    assert.equal(network.ports().find(({ portKey }) => portKey === 'a-4000')?.portGroup, 'twenty');
    assert.equal(network.statistics().get('no-such-port'), undefined);
    assert.ok((network.statistics().get('a-4000')?.receivedBytes ?? 0) > 0, 'the other guest was heard');
  });

  test('refuses an unknown port group, and a tap that a QEMU holds', async (t) => {
    const { guest, network } = await testNetwork(t);
    const spec = { portKey: 'x-4000', mac: '00:50:56:00:00:01', portGroup: 'no such', vmName: 'x' };
    await assert.rejects(network.attach(spec), /no port group "no such"/);
    assert.deepEqual(network.ports(), []);
    const a = await guest('a');
    const again = await network.attach({ portKey: 'a-4000', mac: a.mac, portGroup: 'VM Network', vmName: 'a' });
    assert.ok(again.kind === 'tap');
    assert.throws(
      () => again.openFd(),
      ({ name, cause }: Error) => name === 'NetworkError' && String(cause).includes('EBUSY'),
    );
  });

  test('leaves the switch as it was when a change cannot be made', async (t) => {
    const { guest, network } = await testNetwork(t);
    const [a, b] = [await guest('a'), await guest('b')];
    b.setAddress('192.0.2.10');
    const impossible = { name: 'vSwitch1', mtu: 1500, numPorts: 8, security: DEFAULT_SECURITY };
    const { switches } = INITIAL_CONFIGURATION;
    await assert.rejects(
      network.apply({ ...INITIAL_CONFIGURATION, switches: [...switches, impossible, impossible] }),
      /refused/,
    );
    assert.deepEqual(network.configuration, INITIAL_CONFIGURATION);
    assert.equal(await a.arp('192.0.2.10'), b.mac);
  });
});

function withPortGroups(vlanIds: Readonly<Record<string, number>>): NetworkConfiguration {
  const added = Object.entries(vlanIds).map(([name, vlanId]) => ({
    name,
    vlanId,
    vswitchName: 'vSwitch0',
    security: {},
  }));
  return { ...INITIAL_CONFIGURATION, portGroups: [...INITIAL_CONFIGURATION.portGroups, ...added] };
}

function withSecurity(
  base: NetworkConfiguration,
  portGroup: string,
  security: Partial<SecurityPolicy>,
): NetworkConfiguration {
  const portGroups = base.portGroups.map((group) => (group.name === portGroup ? { ...group, security } : group));
  return { ...base, portGroups };
}
