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
import { INITIAL_CONFIGURATION } from '../network/configuration.ts';
import { NetworkError, type NetworkProvider } from '../network/provider.ts';
import { cannotNetwork, testNetwork } from '../network/testing/test-network.ts';
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
  const published = publishNetwork({ service: { graph, log: silentLogger }, network, store: used });
  const system = graph.get(NETWORK_SYSTEM);
  const invoke = async (method: keyof Handlers<'HostNetworkSystem', Call>, args: object) =>
    system.method(method)?.({ ...args }, CALL);
  return {
    graph,
    store,
    published,
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
function switchInMemory(accept: () => boolean = () => true): NetworkProvider {
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
    onPortsChanged: (listener) => user.onPortsChanged(listener),
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

test('without a switch there is nothing to change', async (t) => {
  const { add, info } = await host(t, new UserNetwork({ reason: 'test' }));
  assert.equal(info().portgroup?.length, 2);
  await assert.rejects(
    async () => add('x'),
    (error) => isFault(error, 'NotSupported'),
  );
});

test('a hint tells the machine’s own subnets, and refuses what is no card', async (t) => {
  const { invoke, info } = await host(t, switchInMemory());
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
});
