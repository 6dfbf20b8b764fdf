// govc's tags.* family against a simulated vCenter: every command goes through /rest with a session of its own.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { useLabSim } from '../testing/use-lab-sim.ts';

interface Category {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly cardinality: string;
  readonly associable_types: readonly string[] | null;
}

const VM = '/DC0/vm/DC0_H0_VM0';
const OTHER_VM = '/DC0/vm/DC0_H0_VM1';
const CLUSTER = '/DC0/host/DC0_C0';

describe('govc tags', { skip: withoutGovc }, () => {
  const govc = useGovc(useLabSim());

  void test('categories are made, listed, changed and removed', async () => {
    const id = (await govc('tags.category.create', '-d', 'Where it is', '-t', 'VirtualMachine', 'zone')).trim();
    assert.match(id, /^urn:vmomi:InventoryServiceCategory:[0-9a-f-]{36}:GLOBAL$/);
    assert.deepEqual(lines(await govc('tags.category.ls')), ['zone']);
    await govc('tags.category.update', '-t', 'ClusterComputeResource', '-m', '-d', 'Zone', 'zone');
    const [info] = await govc.json<Category[]>('tags.category.info', 'zone');
    assert.deepEqual(info, {
      id,
      name: 'zone',
      description: 'Zone',
      cardinality: 'MULTIPLE',
      associable_types: ['VirtualMachine', 'ClusterComputeResource'],
    });
    await govc.refused(/400 Bad Request.*already_exists/, 'tags.category.create', 'ZONE');
    await govc.refused(/400 Bad Request.*invalid_argument/, 'tags.category.update', '-m=false', 'zone');
    await govc('tags.category.update', '-n', 'area', 'zone');
    assert.deepEqual(lines(await govc('tags.category.ls')), ['area']);
    await govc('tags.category.rm', 'area');
    assert.deepEqual(lines(await govc('tags.category.ls')), []);
    await govc.refused(/404 Not Found/, 'tags.category.info', 'urn:vmomi:InventoryServiceCategory:none:GLOBAL');
  });

  void test('tags are made, listed, changed and removed', async () => {
    await govc('tags.category.create', 'os');
    const id = (await govc('tags.create', '-d', 'Twelve', '-c', 'os', 'debian')).trim();
    await govc('tags.create', '-c', 'os', 'fedora');
    assert.deepEqual(
      lines(await govc('tags.ls', '-c', 'os')).map((line) => line.split(/\s+/)[0]),
      ['debian', 'fedora'],
    );
    await govc('tags.update', '-n', 'bookworm', '-c', 'os', 'debian');
    assert.match(await govc('tags.info', '-c', 'os', 'bookworm'), new RegExp(`${id}[\\s\\S]*Twelve`));
    await govc.refused(/already_exists/, 'tags.create', '-c', 'os', 'Fedora');
    await govc('tags.rm', '-c', 'os', 'fedora');
    assert.deepEqual(lines(await govc('tags.ls')).length, 1);
    await govc('tags.category.rm', '-f', 'os');
    assert.deepEqual(lines(await govc('tags.ls')), []);
  });

  void test('tags go on and off objects, as their category allows', async () => {
    await govc('tags.category.create', '-t', 'VirtualMachine', 'tier');
    await govc('tags.category.create', '-m', 'team');
    for (const tag of ['gold', 'silver']) await govc('tags.create', '-c', 'tier', tag);
    for (const tag of ['red', 'blue']) await govc('tags.create', '-c', 'team', tag);
    await govc('tags.attach', '-c', 'tier', 'gold', VM);
    await govc('tags.attach', '-c', 'tier', 'gold', VM);
    await govc.refused(/allows one only/, 'tags.attach', '-c', 'tier', 'silver', VM);
    await govc.refused(/ClusterComputeResource/, 'tags.attach', '-c', 'tier', 'silver', CLUSTER);
    for (const path of [VM, OTHER_VM, CLUSTER, '/DC0']) await govc('tags.attach', '-c', 'team', 'red', path);
    await govc('tags.attach', '-c', 'team', 'blue', VM);
    assert.deepEqual(lines(await govc('tags.attached.ls', '-r', VM)).sort(), ['blue', 'gold', 'red']);
    const attached = lines(await govc('tags.attached.ls', 'red')).map((line) => line.split(':')[0]);
    assert.deepEqual(attached.sort(), ['ClusterComputeResource', 'Datacenter', 'VirtualMachine', 'VirtualMachine']);
    await govc('tags.detach', '-c', 'team', 'red', CLUSTER);
    assert.equal(lines(await govc('tags.attached.ls', 'red')).length, 3);
    await govc('vm.destroy', 'DC0_H0_VM1');
    assert.equal(lines(await govc('tags.attached.ls', 'red')).length, 2, 'a tag comes off what is destroyed');
    await govc.refused(/./, 'tags.rm', '-c', 'team', 'red');
    await govc('tags.rm', '-f', '-c', 'team', 'red');
    assert.deepEqual(lines(await govc('tags.attached.ls', '-r', VM)).sort(), ['blue', 'gold']);
  });
});
