import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClusterConfigInfoEx, type ClusterRuleInfo, type MoRef, make, moRef } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, testCenter } from '../testing/test-center.ts';

void test('a host is managed by one vCenter; another one takes it only by force', async (t) => {
  const center = await testCenter(t);
  const { cluster } = await center.cluster();
  const host = center.dialer.add(new FakeHost('esx1'));
  host.managedBy = '192.0.2.7';
  const add = (force: boolean) =>
    center.task<MoRef>(cluster as MoRef, 'AddHost_Task', {
      spec: { hostName: 'esx1', userName: 'root', password: 'right', force },
      asConnected: true,
    });
  await assert.rejects(add(false), fault('AlreadyBeingManaged'));
  assert.equal(host.managedBy, '192.0.2.7');
  const added = await add(true);
  assert.equal(host.managedBy, center.service.content.about.instanceUuid);
  await assert.rejects(add(true), fault('AlreadyConnected'));
  const ref = moRef('HostSystem', added.value) as MoRef;
  await center.task(ref, 'EnterMaintenanceMode_Task', { timeout: 0 });
  assert.equal(host.trustsCenter, true);
  await center.task(ref, 'Destroy_Task');
  assert.equal(host.managedBy, undefined);
  assert.equal(host.trustsCenter, false);
});

void test('a host that was disconnected is asked to forget vCenter too; one that does not answer is removed all the same', async (t) => {
  const center = await testCenter(t);
  const { cluster } = await center.cluster();
  for (const isReachable of [true, false]) {
    const host = new FakeHost(`esx-${isReachable}`);
    const ref = (await center.addHost(cluster as MoRef, host)) as MoRef;
    await center.task(ref, 'DisconnectHost_Task');
    host.isReachable = isReachable;
    await center.task(ref, 'Destroy_Task');
    assert.equal(center.service.graph.find(ref), undefined);
    assert.equal(host.trustsCenter, !isReachable);
  }
});

void test('a host whose addition fails is given back', async (t) => {
  const center = await testCenter(t);
  const { cluster } = await center.cluster();
  await center.addHost(cluster as MoRef, new FakeHost('esx1'));
  const twin = new FakeHost('esx2');
  Object.assign(twin, { uuid: 'uuid-of-esx1' });
  await assert.rejects(center.addHost(cluster as MoRef, twin), fault('AlreadyConnected'));
  assert.equal(twin.managedBy, undefined);
});

void test('what leaves a cluster is in its rules and groups no more', async (t) => {
  const center = await testCenter(t);
  const { cluster } = await center.cluster();
  const esx1 = new FakeHost('esx1');
  const vms = ['a', 'b', 'c'].map((name) => esx1.addVm({ name }));
  const hosts = [
    await center.addHost(cluster as MoRef, esx1),
    await center.addHost(cluster as MoRef, new FakeHost('esx2')),
  ];
  const [first, second, third] = center.read<MoRef<'VirtualMachine'>[]>(hosts[0] as MoRef, 'vm');
  const spec = make('ClusterConfigSpecEx', {
    rulesSpec: [
      make('ClusterRuleSpec', {
        operation: 'add',
        info: make('ClusterAntiAffinityRuleSpec', {
          name: 'apart',
          enabled: true,
          vm: [first, second, third] as never,
        }),
      }),
    ],
    groupSpec: [
      make('ClusterGroupSpec', {
        operation: 'add',
        info: make('ClusterVmGroup', { name: 'vms', vm: [first, second] as never }),
      }),
      make('ClusterGroupSpec', { operation: 'add', info: make('ClusterHostGroup', { name: 'hosts', host: hosts }) }),
    ],
  });
  await center.task(cluster as MoRef, 'ReconfigureComputeResource_Task', { spec, modify: true });
  const members = () => {
    const { rule = [], group = [] } = center.read<ClusterConfigInfoEx>(cluster as MoRef, 'configurationEx');
    const [vmGroup, hostGroup] = group as { vm?: MoRef[]; host?: MoRef[] }[];
    const values = (refs: readonly MoRef[] | undefined) => refs?.map(({ value }) => value);
    const rules = rule as (ClusterRuleInfo & { vm: MoRef[] })[];
    return [values(rules[0]?.vm), values(vmGroup?.vm), values(hostGroup?.host)];
  };
  esx1.removeVm(vms[0] as never);
  await center.eventually(() => members()[0]?.length === 2);
  assert.deepEqual(members(), [[second?.value, third?.value], [second?.value], hosts.map(({ value }) => value)]);
  const later = await center.restart();
  const kept = later.read<ClusterConfigInfoEx>(cluster as MoRef, 'configurationEx').rule as { vm: MoRef[] }[];
  assert.equal(kept[0]?.vm.length, 2);
  await later.task(hosts[1] as MoRef, 'DisconnectHost_Task');
  await later.task(hosts[1] as MoRef, 'Destroy_Task');
  const { group = [] } = later.read<ClusterConfigInfoEx>(cluster as MoRef, 'configurationEx');
  assert.deepEqual(
    (group[1] as { host?: MoRef[] }).host?.map(({ value }) => value),
    [hosts[0]?.value],
  );
});

void test('a host gets the licence that it is added with, and is not added with what is no key', async (t) => {
  const center = await testCenter(t);
  const { datacenter, cluster } = await center.cluster();
  const hostFolder = center.read<MoRef>(datacenter as MoRef, 'hostFolder');
  const assignments = moRef('LicenseAssignmentManager', 'LicenseAssignmentManager') as MoRef;
  const keysOf = async (entityId: string) =>
    (
      await center.invoke<{ assignedLicense: { licenseKey: string } }[]>(assignments, 'QueryAssignedLicenses', {
        entityId,
      })
    ).map(({ assignedLicense }) => assignedLicense.licenseKey);
  const spec = (host: FakeHost) => {
    center.dialer.add(host);
    return { hostName: host.address, userName: 'root', password: 'right', force: false };
  };
  const esx1 = new FakeHost('esx1');
  const add = (license: string) =>
    center.task<MoRef>(cluster as MoRef, 'AddHost_Task', { spec: spec(esx1), asConnected: true, license });
  await assert.rejects(add('no key'), fault('InvalidArgument'));
  assert.equal(esx1.managedBy, undefined);
  const key = 'AAAAA-BBBBB-CCCCC-DDDDD-EEEEE';
  const added = await add(key);
  assert.deepEqual(await keysOf(added.value), [key]);
  const alone = { spec: spec(new FakeHost('esx2')), addConnected: true, license: key };
  const { value } = await center.task<MoRef>(hostFolder, 'AddStandaloneHost_Task', alone);
  const [standalone] = center.read<MoRef[]>(moRef('ComputeResource', value) as MoRef, 'host');
  assert.deepEqual(await keysOf(standalone?.value ?? ''), [key]);
});
