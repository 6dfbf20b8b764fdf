import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Event, type MoRef, make } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { testCenter } from '../testing/test-center.ts';

void test('datacenters, clusters, pools and datastores are told of as they come, change and go', async (context) => {
  const center = await testCenter(context);
  const told: (readonly [type: string, text: string | undefined, userName: string])[] = [];
  center.service.events.onPost((event: Event) => {
    const { _typeName = '', fullFormattedMessage, userName } = event;
    if (/^(Datacenter|Cluster|ResourcePool|VmResourcePool|DatastoreRenamed)/.test(_typeName)) {
      told.push([_typeName, fullFormattedMessage, userName]);
    }
  });
  const expectTold = (type: string, text: string) => {
    assert.deepEqual(told.shift(), [type, text, 'root']);
  };
  const { datacenter, cluster } = await center.cluster();
  expectTold('DatacenterCreatedEvent', 'Created datacenter DC0 in folder Datacenters');
  expectTold('ClusterCreatedEvent', 'Created cluster C0 in DC0');
  const host = new FakeHost('esx1');
  host.addVm({ name: 'web' });
  const ref = await center.addHost(cluster as MoRef, host);
  const [vm] = center.read<[MoRef]>(ref as MoRef, 'vm');

  await center.task(datacenter as MoRef, 'Rename_Task', { newName: 'DC1' });
  expectTold('DatacenterRenamedEvent', 'Renamed datacenter from DC0 to DC1');
  const spec = make('ClusterConfigSpecEx', { drsConfig: make('ClusterDrsConfigInfo', { enabled: true }) });
  await center.task(cluster as MoRef, 'ReconfigureComputeResource_Task', { spec, modify: true });
  expectTold('ClusterReconfiguredEvent', 'Reconfigured cluster C0 in datacenter DC1');
  const [datastore] = center.read<[MoRef]>(ref as MoRef, 'datastore');
  const oldName = center.read<string>(datastore, 'name');
  await center.task(datastore, 'Rename_Task', { newName: 'fast' });
  expectTold('DatastoreRenamedEvent', `Renamed datastore from ${oldName} to fast in DC1`);

  const root = center.read<MoRef>(cluster as MoRef, 'resourcePool');
  const plain = make('ResourceAllocationInfo', {
    reservation: 0,
    expandableReservation: true,
    limit: -1,
    shares: make('SharesInfo', { level: 'normal', shares: 0 }),
  });
  const config = make('ResourceConfigSpec', { cpuAllocation: plain, memoryAllocation: plain });
  const gold = await center.invoke<MoRef>(root, 'CreateResourcePool', { name: 'gold', spec: config });
  expectTold('ResourcePoolCreatedEvent', 'Created resource pool gold in compute-resource Resources');
  const inner = await center.invoke<MoRef>(root, 'CreateResourcePool', { name: 'inner', spec: config });
  told.length = 0;
  await center.invoke(gold, 'UpdateConfig', { name: 'silver' });
  expectTold('ResourcePoolReconfiguredEvent', 'Updated configuration for silver in compute-resource C0 in DC1');
  await center.invoke(gold, 'MoveIntoResourcePool', { list: [inner, vm] });
  expectTold('ResourcePoolMovedEvent', 'Moved resource pool inner from Resources to silver on C0 in DC1');
  expectTold('VmResourcePoolMovedEvent', 'Moved web from resource pool Resources to silver in DC1');
  await center.task(inner, 'Destroy_Task');
  expectTold('ResourcePoolDestroyedEvent', 'Removed resource pool inner on C0 in DC1');

  await center.task(ref as MoRef, 'EnterMaintenanceMode_Task', { timeout: 0 });
  await center.task(cluster as MoRef, 'Destroy_Task');
  expectTold('ClusterDestroyedEvent', 'Removed cluster C0 in datacenter DC1');
  assert.deepEqual(told, []);
});
