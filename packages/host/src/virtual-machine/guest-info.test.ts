import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isA } from '@vivarium/vim';
import { asUser, testHost, vmSpec } from '../testing/test-host.ts';
import { turns } from '../testing/virtual-clock.ts';
import type { GuestFacts } from '../vm/guest-facts.ts';
import type { VmView } from '../vm/vm-view.ts';
import { guestInfo } from './guest-info.ts';
import { heartbeat, summary } from './summary.ts';

async function twoNics(t: TestContext) {
  const host = await testHost(t);
  const nics = [-10, -11].map((key) => ({
    operation: 'add',
    device: {
      _typeName: 'VirtualVmxnet3',
      key,
      backing: { _typeName: 'VirtualEthernetCardNetworkBackingInfo', deviceName: 'VM Network' },
    },
  }));
  const vm = await host.create({ ...vmSpec(), deviceChange: nics as never });
  await vm.powerOn(asUser());
  const macs = (vm.config.hardware.device ?? []).flatMap((device) =>
    isA('VirtualEthernetCard', device) ? [device.macAddress ?? ''] : [],
  );
  const [first = '', second = ''] = macs;
  const view = (facts: GuestFacts): VmView => ({ ...vm.view(), tools: 'running', guest: facts });
  return { host, vm, first, second, view };
}

const at = (mac: string, ...addresses: string[]) => ({
  mac,
  addresses: addresses.map((address) => ({ address, prefix: address.includes(':') ? 64 : 24 })),
});

void test('guest.ipAddress is the first IPv4 of the first NIC, never one that nobody can reach', async (t) => {
  const { first, second, view } = await twoNics(t);
  const docker = '02:42:ac:11:00:02';
  const table: readonly (readonly [string, GuestFacts['interfaces'], string | undefined])[] = [
    ['one address', [at(first, '10.0.0.7')], '10.0.0.7'],
    ['IPv4 before IPv6', [at(first, '2001:db8::7', '10.0.0.7')], '10.0.0.7'],
    ['IPv4 of the second NIC before IPv6 of the first', [at(first, '2001:db8::7'), at(second, '10.0.0.8')], '10.0.0.8'],
    ['NICs in the order of the hardware', [at(second, '10.0.0.8'), at(first, '10.0.0.7')], '10.0.0.7'],
    ['no link-local', [at(first, 'fe80::1', '169.254.1.1')], undefined],
    ['IPv6 alone', [at(first, 'fe80::1', '2001:db8::7')], '2001:db8::7'],
    ['not of what is no NIC of ours', [at(docker, '172.17.0.1'), at(first, '10.0.0.7')], '10.0.0.7'],
    ['a forged NIC alone', [at(docker, '172.17.0.1')], undefined],
    ['loopback', [at('00:00:00:00:00:00', '127.0.0.1', '::1')], undefined],
    ['none', [], undefined],
  ];
  for (const [name, interfaces, expected] of table) {
    assert.equal(guestInfo(view({ interfaces })).ipAddress, expected, name);
    assert.equal(summary(view({ interfaces }), undefined).guest?.ipAddress, expected, name);
  }
});

void test('guest.net has an entry for each NIC of the VM that the guest knows, and none for others', async (t) => {
  const { first, second, view } = await twoNics(t);
  const { net } = guestInfo(
    view({
      interfaces: [
        at(first), // enslaved to the bridge of the same address
        at('02:42:ac:11:00:02', '172.17.0.1'),
        at(first, '10.0.0.7', 'fe80::1'),
        at(second, '10.0.0.8'),
      ],
    }),
  );
  assert.deepEqual(
    net?.map(({ macAddress, network, ipAddress, deviceConfigId, connected }) => ({
      macAddress,
      network,
      ipAddress,
      deviceConfigId,
      connected,
    })),
    [
      {
        macAddress: first,
        network: 'VM Network',
        ipAddress: ['10.0.0.7', 'fe80::1'],
        deviceConfigId: 4000,
        connected: true,
      },
      { macAddress: second, network: 'VM Network', ipAddress: ['10.0.0.8'], deviceConfigId: 4001, connected: true },
    ],
  );
  assert.deepEqual(
    net?.[0]?.ipConfig?.ipAddress?.map(({ ipAddress, prefixLength }) => [ipAddress, prefixLength]),
    [
      ['10.0.0.7', 24],
      ['fe80::1', 64],
    ],
  );
});

void test('tools are what the agent does: not installed, running, not running', async (t) => {
  const { host, vm, first } = await twoNics(t);
  const tools = () => {
    const { toolsStatus, toolsRunningStatus, toolsVersionStatus2, guestState } = guestInfo(vm.view());
    return [toolsStatus, toolsRunningStatus, toolsVersionStatus2, guestState, heartbeat(vm.view())];
  };
  const missing = ['toolsNotInstalled', 'guestToolsNotRunning', 'guestToolsNotInstalled'];
  assert.deepEqual(tools(), [...missing, 'unknown', 'gray']);
  const machine = host.vmms.machine(vm.id);
  machine.agentComes({ interfaces: [at(first, '10.0.0.7')], hostName: 'web.example', osName: 'Debian GNU/Linux 13' });
  await turns();
  assert.deepEqual(tools(), ['toolsOk', 'guestToolsRunning', 'guestToolsUnmanaged', 'running', 'green']);
  assert.equal(guestInfo(vm.view()).hostName, 'web.example');
  assert.equal(guestInfo(vm.view()).guestFullName, 'Debian GNU/Linux 13');
  assert.equal(summary(vm.view(), undefined).guest?.hostName, 'web.example');
  machine.facts = undefined;
  await host.clock.advance(30_000);
  assert.deepEqual(tools(), ['toolsNotRunning', 'guestToolsNotRunning', 'guestToolsUnmanaged', 'unknown', 'gray']);
  assert.equal(guestInfo(vm.view()).ipAddress, undefined, 'what it said is not shown as of now');
  machine.facts = { interfaces: [at(first, '10.0.0.9')] };
  await host.clock.advance(30_000);
  assert.equal(guestInfo(vm.view()).ipAddress, '10.0.0.9');
  machine.agentGoes();
  assert.equal(guestInfo(vm.view()).ipAddress, undefined);
  machine.agentComes(machine.facts);
  await turns();
  await vm.powerOff(asUser());
  const off = ['toolsNotRunning', 'guestToolsNotRunning', 'guestToolsUnmanaged', 'notRunning', 'gray'];
  assert.deepEqual(tools(), off);
  assert.equal(guestInfo(vm.view()).net, undefined);
});

void test('guest.disk is what the agent tells of file systems, and unset when it tells nothing', async (t) => {
  const { view } = await twoNics(t);
  const root = { mountPoint: '/', type: 'ext4', capacityBytes: 1000, freeBytes: 600 };
  const [disk] = guestInfo(view({ interfaces: [], fileSystems: [root] })).disk ?? [];
  assert.deepEqual([disk?.diskPath, disk?.capacity, disk?.freeSpace, disk?.filesystemType], ['/', 1000, 600, 'ext4']);
  assert.deepEqual(guestInfo(view({ interfaces: [], fileSystems: [] })).disk, []);
  assert.equal(guestInfo(view({ interfaces: [] })).disk, undefined);
});
