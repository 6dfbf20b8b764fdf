import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { type Op, openSqliteStore, type Store } from '@vivarium/store';
import { type Handlers, type HostNetworkInfo, isFault, make, moRef } from '@vivarium/vim';
import { type Call, ObjectGraph } from '@vivarium/vmomi';
import { buildTree } from '../inventory/build-tree.ts';
import { refs } from '../inventory/refs.ts';
import type { PhysicalAdapter } from '../network/adapters/physical-adapter.ts';
import { INITIAL_CONFIGURATION } from '../network/configuration.ts';
import { ipBatch } from '../network/machine/host-link.ts';
import { NetworkError, type NetworkProvider } from '../network/provider.ts';
import { cable } from '../network/testing/cable.ts';
import { cannotNetwork, networkOptions, testNetwork } from '../network/testing/test-network.ts';
import { until } from '../network/testing/until.ts';
import { UserNetwork } from '../network/user-network.ts';
import { NETWORK_SYSTEM, publishNetwork } from './publish-network.ts';
import { loadConfiguration } from './stored-configuration.ts';

const CALL = {} as Call; // no handler here looks at it

const policy = make('HostNetworkPolicy', {});
const portgrp = (name: string, vlanId = 0) =>
  make('HostPortGroupSpec', { name, vlanId, vswitchName: 'vSwitch0', policy });

async function host(t: TestContext, network: NetworkProvider, batch?: Store['batch']) {
  const folder = await mkdtemp(join(tmpdir(), 'viv-netsys-'));
  const store = openSqliteStore(join(folder, 'db'));
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const graph = new ObjectGraph();
  buildTree(graph, {});
  graph.add(refs.host, { config: make('HostConfigInfo', { host: refs.host, product: make('AboutInfo', about) }) });
  graph.add(refs.computeResource, {});
  const used = { batch: batch ?? ((ops: readonly Op[]) => store.batch(ops)) };
  const posted: string[] = [];
  const published = publishNetwork({
    service: { graph, log: silentLogger },
    network,
    store: used,
    name: 'esx',
    post: (event) => void posted.push((event as { eventTypeId?: string }).eventTypeId ?? ''),
  });
  const system = graph.get(NETWORK_SYSTEM);
  const invoke = async (method: keyof Handlers<'HostNetworkSystem', Call>, args: object) =>
    system.method(method)?.({ ...args }, CALL);
  return {
    graph,
    store,
    published,
    posted,
    info: () => system.get('networkInfo') as HostNetworkInfo,
    add: (name: string, vlanId?: number) => invoke('AddPortGroup', { portgrp: portgrp(name, vlanId) }),
    invoke,
    networks: () =>
      graph
        .get(refs.datacenter)
        .get('network')
        ?.map(({ value }) => value),
  };
}

const about = {
  name: 'Test',
  fullName: 'Test',
  vendor: '',
  version: '9.0.0',
  build: '',
  osType: '',
  productLineId: 'embeddedEsx',
  apiType: 'HostAgent',
  apiVersion: '9.0.0.0',
};

/** A switch that takes every change, or the ones that it is told to. */
function switchInMemory(
  accept: () => boolean = () => true,
  adapters: readonly PhysicalAdapter[] = [],
): NetworkProvider {
  const user = new UserNetwork({ reason: 'test' });
  let configuration = INITIAL_CONFIGURATION;
  return {
    mode: 'ovs',
    facts: [],
    get configuration() {
      return configuration;
    },
    apply: async (next) => {
      if (!accept()) throw new NetworkError('the switch says no');
      configuration = next;
    },
    portGroups: () => configuration.portGroups,
    ports: () => user.ports(),
    onChanged: (listener) => user.onChanged(listener),
    adapters: () => adapters,
    adapterCounters: () => new Map(),
    attach: (spec) => user.attach(spec),
    beginAttach: (spec) => user.beginAttach(spec),
    managementAddress: () => user.managementAddress(),
    start: async () => undefined,
    stop: async () => undefined,
    move: (portKey, portGroup) => user.move(portKey, portGroup),
    setEffectiveMac: async () => undefined,
    detach: (portKey) => user.detach(portKey),
    adopt: async () => undefined,
    statistics: () => new Map(),
  };
}

test('a new host shows vSwitch0 with its two port groups, and vmk0', async (t) => {
  const { info, graph, networks } = await host(t, switchInMemory());
  const { vswitch, portgroup, vnic } = info();
  assert.deepEqual(
    vswitch?.map(({ name, mtu, numPorts, portgroup: groups }) => ({ name, mtu, numPorts, groups })),
    [
      {
        name: 'vSwitch0',
        mtu: 1500,
        numPorts: 128,
        groups: ['key-vim.host.PortGroup-VM Network', 'key-vim.host.PortGroup-Management Network'],
      },
    ],
  );
  const computed = { allowPromiscuous: false, macChanges: true, forgedTransmits: true };
  for (const group of portgroup ?? []) assert.partialDeepStrictEqual(group.computedPolicy.security, computed);
  assert.deepEqual(
    vnic?.map(({ device, portgroup: on }) => [device, on]),
    [['vmk0', 'Management Network']],
  );
  assert.deepEqual(networks(), ['HaNetwork-VM Network']);
  assert.deepEqual(graph.get(refs.host).getPath('config.network'), info());
});

test('a port group that is added is on the switch, on disk and in the inventory; one that is removed is not', async (t) => {
  const network = switchInMemory();
  const { add, invoke, store, networks, graph } = await host(t, network);
  await add('a/b', 10);
  assert.equal(network.configuration.portGroups.at(-1)?.vlanId, 10);
  assert.deepEqual(loadConfiguration(store), network.configuration);
  assert.ok(networks()?.includes('HaNetwork-a/b'));
  assert.equal(graph.get(moRef('Network', 'HaNetwork-a/b')).get('name'), 'a%2fb');
  await invoke('RemovePortGroup', { pgName: 'a/b' });
  assert.deepEqual(loadConfiguration(store), INITIAL_CONFIGURATION);
  assert.equal(graph.find(moRef('Network', 'HaNetwork-a/b')), undefined);
});

test('a change that the switch refuses is a fault with its words, and changes nothing', async (t) => {
  const network = switchInMemory(() => false);
  const { add, store, networks } = await host(t, network);
  await assert.rejects(
    async () => add('x'),
    (error) => isFault(error, 'PlatformConfigFault') && error.fault.text === 'the switch says no',
  );
  assert.deepEqual(loadConfiguration(store), INITIAL_CONFIGURATION);
  assert.equal(networks()?.length, 1);
});

test('a change that cannot be stored is taken back from the switch', async (t) => {
  const network = switchInMemory();
  const { add, networks } = await host(t, network, () => Promise.reject(new Error('disk full')));
  await assert.rejects(async () => add('x'), /disk full/);
  assert.deepEqual(network.configuration, INITIAL_CONFIGURATION);
  assert.equal(networks()?.length, 1);
});

test('plugged ports are shown, and hold their port group', async (t) => {
  const network = switchInMemory();
  const { info, invoke } = await host(t, network);
  await network.attach({ portKey: 'u-4000', mac: '00:50:56:00:00:01', portGroup: 'VM Network', vmName: 'a' });
  const [group] = info().portgroup ?? [];
  assert.deepEqual(
    group?.port?.map(({ mac, type }) => [mac, type]),
    [[['00:50:56:00:00:01'], 'virtualMachine']],
  );
  assert.equal(info().vswitch?.[0]?.numPortsAvailable, 126); // the NIC and vmk0
  const remove = async () => invoke('RemovePortGroup', { pgName: 'VM Network' });
  await assert.rejects(remove, (error) => isFault(error, 'ResourceInUse'));
  await network.detach('u-4000');
  await remove();
});

test('a network knows its VMs, also when it comes after them', async (t) => {
  const { published, graph, add } = await host(t, switchInMemory());
  const vm = moRef('VirtualMachine', '1');
  published.setUsers(
    new Map([
      ['VM Network', [vm]],
      ['later', [vm]],
    ]),
  );
  assert.deepEqual(graph.get(moRef('Network', 'HaNetwork-VM Network')).get('vm'), [vm]);
  await add('later');
  assert.deepEqual(graph.get(moRef('Network', 'HaNetwork-later')).get('vm'), [vm]);
});

const CARD: PhysicalAdapter = {
  name: 'vmnic0',
  device: 'eth1',
  mac: '52:54:00:00:00:01',
  driver: 'e1000e',
  busAddress: '0000:03:00.0',
  hasLink: true,
  speedMbps: 1000,
  isFullDuplex: true,
  mtu: 1500,
  isUp: true,
  usedBy: [],
};

test('adapters are shown, and on a switch they are its uplinks', async (t) => {
  const busy: PhysicalAdapter = { ...CARD, name: 'vmnic1', device: 'eth0', hasLink: false, obstacle: 'eth0 is busy' };
  const { invoke, info } = await host(t, switchInMemory(undefined, [CARD, busy]));
  assert.deepEqual(
    info().pnic?.map(({ key, device, pci, driver, linkSpeed }) => [key, device, pci, driver, linkSpeed?.speedMb]),
    [
      ['key-vim.host.PhysicalNic-vmnic0', 'vmnic0', '0000:03:00.0', 'e1000e', 1000],
      ['key-vim.host.PhysicalNic-vmnic1', 'vmnic1', '0000:03:00.0', 'e1000e', undefined],
    ],
  );
  const bridge = (nic: string) => make('HostVirtualSwitchBondBridge', { nicDevice: [nic] });
  const add = (nic: string) =>
    invoke('AddVirtualSwitch', {
      vswitchName: 'x',
      spec: make('HostVirtualSwitchSpec', { numPorts: 8, bridge: bridge(nic) }),
    });
  await assert.rejects(
    () => add('vmnic1'),
    (error) => isFault(error, 'ResourceInUse') && error.fault.name === 'vmnic1' && error.message === 'eth0 is busy',
  );
  await add('vmnic0');
  const made = info().vswitch?.at(-1);
  assert.deepEqual(made?.pnic, ['key-vim.host.PhysicalNic-vmnic0']);
  assert.partialDeepStrictEqual(made?.spec.bridge, bridge('vmnic0'));
  assert.deepEqual(made?.spec.policy?.nicTeaming?.nicOrder?.activeNic, ['vmnic0']);
});

test('without a switch there is nothing to change', async (t) => {
  const { add, info } = await host(t, new UserNetwork({ reason: 'test' }));
  assert.equal(info().portgroup?.length, 2);
  await assert.rejects(
    async () => add('x'),
    (error) => isFault(error, 'NotSupported'),
  );
});

test('a hint tells the machine’s own subnets, and refuses what is no card', async (t) => {
  const { invoke, info } = await host(t, switchInMemory(undefined, [CARD]));
  const hints = (await invoke('QueryNetworkHint', {})) as { device: string }[];
  assert.deepEqual(
    hints.map(({ device }) => device),
    info().pnic?.map(({ device }) => device),
  );
  await assert.rejects(
    async () => invoke('QueryNetworkHint', { device: ['vmnic99'] }),
    (error) => isFault(error, 'NotFound'),
  );
});

suite('on a real switch', { skip: cannotNetwork }, () => {
  test('a switch with any name, its VLAN and a plugged guest follow every change', async (t) => {
    const { network, guest } = await testNetwork(t);
    const { invoke, add } = await host(t, network);
    const vswitchName = 'a switch with a name too long';
    await invoke('AddVirtualSwitch', { vswitchName });
    await add('lab', 10);
    const [a, b] = [await guest('a', { portGroup: 'lab' }), await guest('b', { portGroup: 'lab' })];
    b.setAddress('192.0.2.10');
    assert.equal(await a.arp('192.0.2.10'), b.mac);
    const moved = make('HostPortGroupSpec', { name: 'renamed', vlanId: 0, vswitchName, policy });
    await invoke('UpdatePortGroup', { pgName: 'lab', portgrp: moved });
    assert.deepEqual(
      network.ports().map(({ portGroup }) => portGroup),
      ['renamed', 'renamed'],
    );
    assert.equal(await a.arp('192.0.2.10'), b.mac);
    const back = { ...portgrp('VM Network', 20) };
    await invoke('UpdatePortGroup', { pgName: 'VM Network', portgrp: back });
    await (await guest('c')).dhcp(); // the services moved to VLAN 20 with their port group
  });

  test('an uplink’s lost link is shown, told, and over when it comes back', async (t) => {
    const [near, far] = await cable(t);
    const { network } = await testNetwork(t, INITIAL_CONFIGURATION, [near]);
    const { invoke, info, posted } = await host(t, network);
    const bridge = make('HostVirtualSwitchBondBridge', { nicDevice: ['vmnic0'] });
    await invoke('AddVirtualSwitch', {
      vswitchName: 'x',
      spec: make('HostVirtualSwitchSpec', { numPorts: 8, bridge }),
    });
    const hasLink = () => info().pnic?.[0]?.linkSpeed !== undefined;
    await until(hasLink);
    posted.length = 0;
    const { tools } = networkOptions('');
    await ipBatch(tools, [`link set ${far} down`]);
    await until(() => !hasLink());
    await ipBatch(tools, [`link set ${far} up`]);
    await until(hasLink);
    assert.deepEqual(posted, [
      'esx.problem.net.vmnic.linkstate.down',
      'esx.problem.net.connectivity.lost',
      'esx.clear.net.vmnic.linkstate.up',
      'esx.clear.net.connectivity.restored',
    ]);
  });
});
