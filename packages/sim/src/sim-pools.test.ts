import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, type MoRef, make, moRef } from '@vivarium/vim';
import { SimPools } from './sim-pools.ts';

const ROOT = 'ha-root-pool';

void test('pools are made, changed, filled and removed; what is in them goes into the pool around', () => {
  const pools = new SimPools();
  const spec = make('ResourceConfigSpec', {
    cpuAllocation: make('ResourceAllocationInfo', { limit: 100 }),
    memoryAllocation: make('ResourceAllocationInfo', {}),
  });
  const create = (parent: string, name: string) =>
    (pools.perform(parent, 'CreateResourcePool', { name, spec }) as MoRef).value;
  const fault = (type: string) => (error: unknown) => isFault(error, 'MethodFault') && error.fault._typeName === type;
  const outer = create(ROOT, 'outer');
  const inner = create(outer, 'inner');
  assert.throws(() => create(ROOT, 'outer'), fault('DuplicateName'));
  assert.throws(() => create('none', 'x'), fault('ManagedObjectNotFound'));
  pools.perform(inner, 'MoveIntoResourcePool', { list: [moRef('VirtualMachine', '1')] });
  assert.equal(pools.poolOf('1')?.name, 'inner');
  const circle = { list: [moRef('ResourcePool', outer)] };
  assert.throws(() => pools.perform(inner, 'MoveIntoResourcePool', circle), fault('InvalidArgument'));
  pools.perform(inner, 'UpdateConfig', { config: { ...spec, changeVersion: '2' } });
  assert.equal(pools.poolOf('1')?.config.changeVersion, '2');
  pools.perform(outer, 'Destroy_Task', {});
  assert.deepEqual(
    pools.all.map(({ name, parent }) => [name, parent]),
    [['inner', ROOT]],
  );
  pools.perform(inner, 'Destroy_Task', {});
  assert.equal(pools.poolOf('1'), undefined);
  assert.throws(() => pools.perform(ROOT, 'Destroy_Task', {}), fault('NotSupported'));
});
