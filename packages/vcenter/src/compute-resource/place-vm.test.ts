import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type ClusterHostRecommendation,
  type MoRef,
  make,
  type PlacementAction,
  type PlacementResult,
} from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, testCenter } from '../testing/test-center.ts';

/** `esx1` has many VMs, `esx2` has none; each has `datastore1` of its own, and both have `shared`. */
async function world(context: TestContext, freeBytes = 1) {
  const center = await testCenter(context);
  const { datacenter, cluster } = await center.cluster();
  const hosts = ['esx1', 'esx2'].map((name) => {
    const datastores = { datastore1: `ds:///vmfs/volumes/${name}/`, shared: 'ds:///vmfs/volumes/shared/' };
    return new FakeHost(name, { datastores });
  }) as [FakeHost, FakeHost];
  for (const host of hosts) host.freeBytes = freeBytes;
  for (let index = 0; index < 30; index++)
    hosts[0].addVm({ name: `busy${index}`, vmPathName: `[shared] b${index}/b.vmx` });
  const refs = [await center.addHost(cluster as MoRef, hosts[0]), await center.addHost(cluster as MoRef, hosts[1])];
  const place = (config: object, more: object = {}) => {
    const configSpec = make('VirtualMachineConfigSpec', { name: 'new', memoryMB: 16, numCPUs: 1, ...config });
    const placementSpec = make('PlacementSpec', { placementType: 'create', configSpec, ...more });
    return center.invoke<PlacementResult>(cluster as MoRef, 'PlaceVm', { placementSpec });
  };
  return { center, datacenter, cluster, hosts, refs: refs as [MoRef<'HostSystem'>, MoRef<'HostSystem'>], place };
}

const disk = (megabytes: number, thinProvisioned: boolean) => ({
  deviceChange: [
    make('VirtualDeviceConfigSpec', {
      operation: 'add',
      fileOperation: 'create',
      device: make('VirtualDisk', {
        key: -1,
        capacityInKB: megabytes * 1024,
        backing: make('VirtualDiskFlatVer2BackingInfo', { fileName: '', diskMode: 'persistent', thinProvisioned }),
      }),
    }),
  ],
});

const relocationOf = ({ recommendations }: PlacementResult, index = 0) =>
  (recommendations?.[index]?.action?.[0] as PlacementAction | undefined)?.relocateSpec;

void test('a VM that is to be made is placed on host, datastore and pool', async (t) => {
  const { center, cluster, refs, place } = await world(t, 2 ** 30);
  const result = await place(disk(8, false));
  assert.equal(result.drsFault, undefined);
  assert.deepEqual(
    result.recommendations?.map(({ action }) => (action?.[0] as PlacementAction | undefined)?.targetHost?.value),
    [refs[1].value, refs[0].value],
  );
  const best = relocationOf(result);
  assert.equal(best?.host?.value, refs[1].value);
  assert.equal(best?.pool?.value, center.read<MoRef>(cluster as MoRef, 'resourcePool').value);
  const its = center.read<MoRef[]>(refs[1] as MoRef, 'datastore').map(({ value }) => value);
  assert.ok(best?.datastore && its.includes(best.datastore.value));
  assert.equal(relocationOf(await place({}, { hosts: [refs[0]] }))?.host?.value, refs[0].value);
  const datastores = center
    .read<MoRef[]>(refs[0] as MoRef, 'datastore')
    .filter((ref) => center.read(ref, 'name') === 'datastore1');
  const there = relocationOf(await place({}, { datastores }));
  assert.deepEqual([there?.host?.value, there?.datastore?.value], [refs[0].value, datastores[0]?.value]);
});

void test('what cannot be placed is told with its reason', async (t) => {
  const { center, cluster, refs, place } = await world(t, 2 ** 26);
  const reason = async (config: object, more: object = {}) => {
    const { recommendations, drsFault } = await place(config, more);
    assert.equal(recommendations, undefined);
    return drsFault?.faultsByVm[0]?.fault[0]?.fault._typeName;
  };
  assert.equal(await reason(disk(100, false)), 'InsufficientStorageSpace');
  assert.equal((await place(disk(100, true))).recommendations?.length, 2);
  assert.equal(await reason({ numCPUs: 64 }), 'NoCompatibleHost');
  const placementSpec = make('PlacementSpec', { placementType: 'relocate' });
  await assert.rejects(center.invoke(cluster as MoRef, 'PlaceVm', { placementSpec }), fault('NotSupported'));
  for (const host of refs) await center.task(host as MoRef, 'DisconnectHost_Task');
  assert.equal(await reason({}), 'NoCompatibleDatastore');
});

void test('a VM that is there is recommended the hosts that can run it, best first', async (t) => {
  const { center, cluster, hosts, refs } = await world(t);
  const shared = hosts[0].addVm({ name: 'shared', vmPathName: '[shared] s/s.vmx' });
  const local = hosts[0].addVm({ name: 'local', vmPathName: '[datastore1] l/l.vmx' });
  const find = (name: string) =>
    center
      .read<MoRef<'VirtualMachine'>[]>(refs[0] as MoRef, 'vm')
      .find((ref) => center.read(ref as MoRef, 'name') === name);
  await center.eventually(() => find('local') !== undefined);
  const recommended = async (name: string) =>
    (await center.invoke<ClusterHostRecommendation[]>(cluster as MoRef, 'RecommendHostsForVm', { vm: find(name) })).map(
      ({ host }) => host.value,
    );
  assert.deepEqual(await recommended(shared.name), [refs[1].value, refs[0].value]);
  assert.deepEqual(await recommended(local.name), [refs[0].value]);
});
