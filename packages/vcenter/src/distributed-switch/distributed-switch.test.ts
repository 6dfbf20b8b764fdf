import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type MoRef, make, moRef } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, type TestCenter, testCenter } from '../testing/test-center.ts';

interface World {
  readonly center: TestCenter;
  readonly datacenter: MoRef<'Datacenter'>;
  readonly cluster: MoRef<'ClusterComputeResource'>;
  readonly folder: MoRef;
  readonly hosts: readonly { readonly ref: MoRef<'HostSystem'>; readonly fake: FakeHost }[];
  readonly dvs: MoRef;
  readonly portgroup: MoRef;
}

const vlan = (vlanId: number, more: object = {}) =>
  make('VMwareDVSPortSetting', {
    vlan: make('VmwareDistributedVirtualSwitchVlanIdSpec', { inherited: false, vlanId }),
    ...more,
  });
const member = (operation: string, host: MoRef<'HostSystem'>) =>
  make('DistributedVirtualSwitchHostMemberConfigSpec', { operation, host });

/** Two hosts over one datastore, the first one a member; a port group on VLAN 7. */
async function world(context: TestContext): Promise<World> {
  const center = await testCenter(context);
  const { datacenter, cluster } = await center.cluster();
  const hosts = [];
  for (const name of ['esx1', 'esx2']) {
    const fake = new FakeHost(name, { datastores: { datastore1: 'ds:///shared/' } });
    hosts.push({ fake, ref: await center.addHost(cluster as MoRef, fake) });
  }
  const folder = center.read<MoRef>(datacenter as MoRef, 'networkFolder');
  const [first] = hosts;
  assert.ok(first);
  const configSpec = make('VMwareDVSConfigSpec', { name: 'DVS0', host: [member('add', first.ref)] });
  const made = await center.task<MoRef>(folder, 'CreateDVS_Task', { spec: make('DVSCreateSpec', { configSpec }) });
  const dvs = moRef('VmwareDistributedVirtualSwitch', made.value) as MoRef;
  const spec = make('DVPortgroupConfigSpec', { name: 'web', numPorts: 4, defaultPortConfig: vlan(7) });
  const group = await center.task<MoRef>(dvs, 'CreateDVPortgroup_Task', { spec });
  const portgroup = moRef('DistributedVirtualPortgroup', group.value) as MoRef;
  return { center, datacenter, cluster, folder, hosts, dvs, portgroup };
}

const onPortgroup = ({ center, dvs, portgroup }: World, name: string, more: object = {}) =>
  make('VirtualMachineConfigSpec', {
    name,
    ...more,
    deviceChange: [
      make('VirtualDeviceConfigSpec', {
        operation: 'add',
        device: make('VirtualVmxnet3', {
          key: -1,
          backing: make('VirtualEthernetCardDistributedVirtualPortBackingInfo', {
            port: make('DistributedVirtualSwitchPortConnection', {
              switchUuid: center.read<string>(dvs, 'uuid'),
              portgroupKey: portgroup.value,
            }),
          }),
        }),
      }),
    ],
  });

async function createVm(at: World, name: string, host?: MoRef<'HostSystem'>): Promise<MoRef<'VirtualMachine'>> {
  const { center, datacenter, cluster } = at;
  await center.eventually(() => center.read<MoRef[]>(at.portgroup, 'host').length === 1);
  const vmFolder = center.read<MoRef>(datacenter as MoRef, 'vmFolder');
  const pool = center.read<MoRef>(cluster as MoRef, 'resourcePool');
  const config = onPortgroup(at, name, { files: make('VirtualMachineFileInfo', { vmPathName: '[datastore1]' }) });
  const made = await center.task<MoRef>(vmFolder, 'CreateVM_Task', { config, pool, ...(host ? { host } : {}) });
  return moRef('VirtualMachine', made.value);
}

void test('a distributed switch is a hidden switch on its members, with the VLAN and security of its port groups', async (t) => {
  const { center, dvs, portgroup, hosts, folder, datacenter } = await world(t);
  const [one, two] = hosts;
  const uuid = center.read<string>(dvs, 'uuid');
  assert.match(uuid, /^[0-9a-f]{2}( [0-9a-f]{2}){7}-[0-9a-f]{2}( [0-9a-f]{2}){7}$/);
  const group = one?.fake.portGroups.get(`${portgroup.value} ${uuid}`);
  assert.equal(group?.vlanId, 7);
  assert.deepEqual(
    { ...group?.policy.security, _typeName: undefined },
    {
      _typeName: undefined,
      allowPromiscuous: false,
      macChanges: false,
      forgedTransmits: false,
    },
  );
  assert.equal(two?.fake.switches.size, 0, 'a host that is no member has nothing of it');
  const names = () => center.read<MoRef[]>(folder, 'childEntity').map((ref) => center.read<string>(ref, 'name'));
  await center.eventually(() => center.read<MoRef[]>(portgroup, 'host').length === 1);
  assert.deepEqual(names().sort(), ['DVS0', `DVS0-DVUplinks-${dvs.value.slice(4)}`, 'VM Network', 'web'].sort());
  assert.ok(center.read<MoRef[]>(datacenter as MoRef, 'network').some(({ value }) => value === portgroup.value));
  assert.deepEqual(
    center.read<MoRef[]>(portgroup, 'host').map(({ value }) => value),
    [one?.ref.value],
  );
  const shown = center.read<{ portgroup: unknown[]; vswitch: unknown[] }>(one?.ref as MoRef, 'config.network');
  assert.deepEqual([shown.portgroup, shown.vswitch], [[], []], 'what carries it is not shown');
  assert.equal(center.read<number>(dvs, 'config.numPorts'), 8, '4 of the port group, 4 uplinks');
  assert.deepEqual(
    center.read<{ status: string }[]>(dvs, 'config.host').map(({ status }) => status),
    ['up'],
  );
});

void test('the port group changes on the members: VLAN, security inherited from the switch, name only here', async (t) => {
  const { center, dvs, portgroup, hosts } = await world(t);
  const fake = hosts[0]?.fake;
  const hidden = `${portgroup.value} ${center.read<string>(dvs, 'uuid')}`;
  const yes = make('BoolPolicy', { inherited: false, value: true });
  const securityPolicy = make('DVSSecurityPolicy', { inherited: false, forgedTransmits: yes });
  const defaultPortConfig = make('VMwareDVSPortSetting', { securityPolicy });
  await center.task(dvs, 'ReconfigureDvs_Task', { spec: make('VMwareDVSConfigSpec', { defaultPortConfig }) });
  assert.equal(fake?.portGroups.get(hidden)?.policy.security?.forgedTransmits, true, 'inherited');
  const spec = make('DVPortgroupConfigSpec', { name: 'site', configVersion: '1', defaultPortConfig: vlan(9) });
  await center.task(portgroup, 'ReconfigureDVPortgroup_Task', { spec });
  assert.equal(fake?.portGroups.get(hidden)?.vlanId, 9);
  assert.equal(center.read<string>(portgroup, 'name'), 'site');
  assert.equal(center.read<string>(portgroup, 'config.name'), 'site');
  await assert.rejects(center.task(portgroup, 'ReconfigureDVPortgroup_Task', { spec }), fault('ConcurrentAccess'));
  const pvlan = make('VmwareDistributedVirtualSwitchPvlanSpec', { inherited: false, pvlanId: 5 });
  const unbuilt = make('DVPortgroupConfigSpec', { defaultPortConfig: make('VMwareDVSPortSetting', { vlan: pvlan }) });
  await assert.rejects(center.task(portgroup, 'ReconfigureDVPortgroup_Task', { spec: unbuilt }), fault('NotSupported'));
  await center.task(portgroup, 'Rename_Task', { newName: 'web again' });
  assert.equal(center.read<string>(portgroup, 'name'), 'web again');
});

void test('a VM is on the distributed port group, whatever its host calls it', async (t) => {
  const at = await world(t);
  const { center, portgroup, dvs, hosts } = at;
  const vm = await createVm(at, 'a');
  assert.equal(center.read<MoRef>(vm as MoRef, 'runtime.host').value, hosts[0]?.ref.value, 'the member');
  assert.deepEqual(
    center.read<MoRef[]>(vm as MoRef, 'network').map(({ value }) => value),
    [portgroup.value],
  );
  const backing = center.read<{ port: object }>(vm as MoRef, 'config.hardware.device[4000].backing');
  assert.deepEqual(backing.port, {
    _typeName: 'DistributedVirtualSwitchPortConnection',
    switchUuid: center.read<string>(dvs, 'uuid'),
    portgroupKey: portgroup.value,
  });
  assert.deepEqual(
    center.read<MoRef[]>(portgroup, 'vm').map(({ value }) => value),
    [vm.value],
  );
  const criteria = make('DistributedVirtualSwitchPortCriteria', { connected: true, portgroupKey: [portgroup.value] });
  const [port] = await center.invoke<{ connectee?: { connectedEntity?: MoRef } }[]>(dvs, 'FetchDVPorts', { criteria });
  assert.equal(port?.connectee?.connectedEntity?.value, vm.value);
  const spec = onPortgroup(at, 'a');
  await center.task(vm as MoRef, 'ReconfigVM_Task', { spec });
  assert.equal(hosts[0]?.fake.vms.get('1')?.nics.length, 2);
  // While it is there, nothing below it goes.
  await assert.rejects(center.task(portgroup, 'Destroy_Task'), fault('ResourceInUse'));
  await assert.rejects(center.task(dvs, 'Destroy_Task'), fault('ResourceInUse'));
  const host = [member('remove', hosts[0]?.ref as MoRef<'HostSystem'>)];
  const leave = make('VMwareDVSConfigSpec', { host });
  await assert.rejects(center.task(dvs, 'ReconfigureDvs_Task', { spec: leave }), fault('ResourceInUse'));
  await center.task(vm as MoRef, 'Destroy_Task');
  assert.deepEqual(center.read<MoRef[]>(portgroup, 'vm'), []);
  await center.task(portgroup, 'Destroy_Task');
  await center.task(dvs, 'Destroy_Task');
});

void test('a host that is no member refuses the card', async (t) => {
  const at = await world(t);
  await assert.rejects(createVm(at, 'b', at.hosts[1]?.ref), fault('InvalidDeviceBacking'));
});

void test('members come and go; a host that refuses undoes the whole change', async (t) => {
  const { center, dvs, hosts } = await world(t);
  const second = hosts[1];
  assert.ok(second);
  const join = { spec: make('VMwareDVSConfigSpec', { host: [member('add', second.ref)] }) };
  second.fake.refuses = 'AddPortGroup';
  await assert.rejects(center.task(dvs, 'ReconfigureDvs_Task', join), fault('PlatformConfigFault'));
  assert.equal(center.read<MoRef[]>(dvs, 'summary.hostMember').length, 1);
  assert.equal(second.fake.switches.size, 0);
  second.fake.refuses = undefined;
  await center.task(dvs, 'ReconfigureDvs_Task', join);
  assert.equal(center.read<MoRef[]>(dvs, 'summary.hostMember').length, 2);
  assert.equal(second.fake.portGroups.size, 1);
  await assert.rejects(center.task(dvs, 'ReconfigureDvs_Task', join), fault('AlreadyExists'));
  await center.task(dvs, 'ReconfigureDvs_Task', {
    spec: make('VMwareDVSConfigSpec', { host: [member('remove', second.ref)] }),
  });
  assert.equal(second.fake.portGroups.size + second.fake.switches.size, 0);
});

void test('physical NICs are uplinks of the hidden switch, and its port groups team them as they are told', async (t) => {
  const { center, dvs, portgroup, hosts } = await world(t);
  const first = hosts[0];
  assert.ok(first);
  const uuid = center.read<string>(dvs, 'uuid');
  const edit = (...devices: string[]) => {
    const pnicSpec = devices.map((pnicDevice) => make('DistributedVirtualSwitchHostMemberPnicSpec', { pnicDevice }));
    const backing = make('DistributedVirtualSwitchHostMemberPnicBacking', { pnicSpec });
    const host = [{ ...member('edit', first.ref), backing }];
    return center.task(dvs, 'ReconfigureDvs_Task', { spec: make('VMwareDVSConfigSpec', { host }) });
  };
  const nics = () =>
    Array.from(first.fake.switches.values(), ({ bridge }) => (bridge as { nicDevice?: string[] })?.nicDevice);
  const team = () => {
    const { policy, nicOrder } = first.fake.portGroups.get(`${portgroup.value} ${uuid}`)?.policy.nicTeaming ?? {};
    return [policy, nicOrder?.activeNic, nicOrder?.standbyNic];
  };
  await edit('vmnic1', 'vmnic0');
  assert.deepEqual(nics(), [['vmnic1', 'vmnic0']]);
  assert.deepEqual(team(), ['loadbalance_srcid', ['vmnic1', 'vmnic0'], []]);
  const uplinkPortOrder = make('VMwareUplinkPortOrderPolicy', {
    inherited: false,
    activeUplinkPort: ['Uplink 2'],
    standbyUplinkPort: ['Uplink 1', 'Uplink 3'],
  });
  const policy = make('StringPolicy', { inherited: false, value: 'failover_explicit' });
  const uplinkTeamingPolicy = make('VmwareUplinkPortTeamingPolicy', { inherited: false, policy, uplinkPortOrder });
  const defaultPortConfig = make('VMwareDVSPortSetting', { uplinkTeamingPolicy });
  const spec = make('DVPortgroupConfigSpec', { defaultPortConfig });
  await center.task(portgroup, 'ReconfigureDVPortgroup_Task', { spec });
  assert.deepEqual(team(), ['failover_explicit', ['vmnic0'], ['vmnic1']]);
  const criteria = make('DistributedVirtualSwitchPortCriteria', { uplinkPort: true, host: [first.ref] });
  const ports = await center.invoke<{ config: { name: string }; connectee?: { nicKey: string } }[]>(
    dvs,
    'FetchDVPorts',
    {
      criteria,
    },
  );
  assert.deepEqual(
    ports.map(({ config, connectee }) => [config.name, connectee?.nicKey]),
    [
      ['Uplink 1', 'vmnic1'],
      ['Uplink 2', 'vmnic0'],
      ['Uplink 3', undefined],
      ['Uplink 4', undefined],
    ],
  );
  const shown = () =>
    center.read<{ dvsName: string; dvsUuid: string; pnic: string[] }[]>(
      first.ref as MoRef,
      'config.network.proxySwitch',
    );
  await center.eventually(() => shown()[0]?.pnic.length === 2);
  assert.partialDeepStrictEqual(shown(), [{ dvsName: 'DVS0', dvsUuid: uuid, uplinkPort: [{ value: 'Uplink 1' }] }]);
  await edit('vmnic0');
  assert.deepEqual(nics(), [['vmnic0']]);
  assert.deepEqual(team(), ['failover_explicit', ['vmnic0'], []]);
  await edit();
  assert.deepEqual(team(), ['failover_explicit', [], []]);
});

void test('what a host missed while it was away is made up for when it connects', async (t) => {
  const { center, dvs, portgroup, hosts } = await world(t);
  const first = hosts[0];
  assert.ok(first);
  await center.task(first.ref as MoRef, 'DisconnectHost_Task');
  await center.task(portgroup, 'ReconfigureDVPortgroup_Task', {
    spec: make('DVPortgroupConfigSpec', { defaultPortConfig: vlan(11) }),
  });
  const spec = [make('DVPortgroupConfigSpec', { name: 'second' })];
  await center.task(dvs, 'AddDVPortgroup_Task', { spec });
  const vlans = () => Array.from(first.fake.portGroups.values(), ({ vlanId }) => vlanId).sort();
  assert.deepEqual(vlans(), [7]);
  await center.task(first.ref as MoRef, 'ReconnectHost_Task');
  await center.eventually(() => vlans().join() === '0,11');
});

void test('a host that does not answer for a moment refuses nothing, and has the change when it answers again', async (t) => {
  const { center, dvs, portgroup, hosts } = await world(t);
  const first = hosts[0];
  assert.ok(first);
  first.fake.isReachable = false;
  await center.task(portgroup, 'ReconfigureDVPortgroup_Task', {
    spec: make('DVPortgroupConfigSpec', { defaultPortConfig: vlan(12) }),
  });
  const status = () => center.read<{ status: string }[]>(dvs, 'config.host').map((member) => member.status);
  await center.eventually(() => status().join() === 'outOfSync');
  const vlans = () => Array.from(first.fake.portGroups.values(), ({ vlanId }) => vlanId);
  assert.deepEqual(vlans(), [7]);
  first.fake.isReachable = true;
  await center.eventually(() => vlans().join() === '12' && status().join() === 'up');
});

void test('everything is there again after a restart, and a destroyed switch leaves nothing on its hosts', async (t) => {
  const { center, dvs, portgroup, hosts, folder } = await world(t);
  const again = await center.restart();
  await again.eventually(() => again.read<MoRef[]>(portgroup, 'host').length === 1);
  assert.equal(again.read<string>(dvs, 'summary.name'), 'DVS0');
  const { dvSwitchManager } = again.service.content;
  const uuid = again.read<string>(dvs, 'uuid');
  const found = await again.invoke<MoRef>(dvSwitchManager as MoRef, 'QueryDvsByUuid', { uuid });
  assert.equal(found.value, dvs.value);
  const lookup = { switchUuid: uuid, portgroupKey: portgroup.value };
  const group = await again.invoke<MoRef>(dvSwitchManager as MoRef, 'DVSManagerLookupDvPortGroup', lookup);
  assert.equal(group.value, portgroup.value);
  await again.task(dvs, 'Destroy_Task');
  assert.equal((hosts[0]?.fake.portGroups.size ?? 9) + (hosts[0]?.fake.switches.size ?? 9), 0);
  assert.deepEqual(
    again.read<MoRef[]>(folder, 'childEntity').map((ref) => again.read<string>(ref, 'name')),
    ['VM Network'],
  );
  assert.deepEqual(again.read<MoRef[]>(hosts[0]?.ref as MoRef, 'network').length, 1);
});

void test('a switch has no more ports than it may have', async (t) => {
  const { center, dvs, portgroup } = await world(t);
  const spec = make('DVPortgroupConfigSpec', { name: 'more', numPorts: 60_000 });
  await assert.rejects(center.task(dvs, 'CreateDVPortgroup_Task', { spec }), fault('LimitExceeded'));
  const wide = make('DVPortgroupConfigSpec', { numPorts: 59_997 });
  await assert.rejects(center.task(portgroup, 'ReconfigureDVPortgroup_Task', { spec: wide }), fault('LimitExceeded'));
  await center.task(portgroup, 'ReconfigureDVPortgroup_Task', { spec: { ...wide, numPorts: 59_996 } });
  assert.equal(center.read<number>(dvs, 'config.numPorts'), 60_000);
});
