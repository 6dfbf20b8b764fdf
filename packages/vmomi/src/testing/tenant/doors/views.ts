// For tests: views of the view manager.
import assert from 'node:assert/strict';
import { type MoRef, moRefKey, schema } from '@vivarium/vim';
import { ask, read } from '../ask.ts';
import { content, type Doors, keys, listOf } from '../door.ts';
import type { Tenant, World } from '../world.ts';

export const viewDoors: Doors = {
  async 'container views'(world, who) {
    const { viewManager } = content(world);
    for (const type of ['ManagedEntity', 'VirtualMachine', 'Folder']) {
      const made = await ask<MoRef>(world, who, viewManager, 'CreateContainerView', {
        container: world.root,
        type: [type],
        recursive: true,
      });
      if (!world.may(who, world.root, 'System.View')) {
        assert.equal(made.fault, 'NoPermission');
        continue;
      }
      const { value: list } = await read<{ _value: MoRef[] } | MoRef[]>(world, who, made.value, 'view');
      const wanted = below(world, who).filter((ref) => schema.isSubtype(ref.type, type));
      assert.deepEqual(keys(listOf(list)), keys(wanted), type);
      await ask(world, who, made.value, 'DestroyView');
    }
  },

  async 'a kept view'(world, who) {
    if (!world.may(who, world.root, 'System.View')) return;
    let view = kept.get(who);
    if (!view) {
      const args = { container: world.root, type: ['ManagedEntity'], recursive: true };
      view = (await ask<MoRef>(world, who, content(world).viewManager, 'CreateContainerView', args)).value;
      kept.set(who, view);
    }
    const { value: list } = await read<MoRef[]>(world, who, view, 'view');
    assert.deepEqual(keys(listOf(list)), keys(below(world, who)));
    for (const other of world.tenants.filter((one) => one !== who)) {
      assert.equal((await read(world, other, view, 'view')).fault, 'ManagedObjectNotFound');
    }
  },

  async 'list and inventory views'(world, who) {
    const { viewManager } = content(world);
    if (!world.may(who, world.root, 'System.View')) return;
    const made = await ask<MoRef>(world, who, viewManager, 'CreateListView', { obj: [] });
    const all = world.entities();
    const some = world.some();
    for (const ref of some) {
      const { fault } = await ask(world, who, made.value, 'ModifyListView', { add: [ref] });
      assert.equal(fault, world.may(who, ref, 'System.View') ? undefined : 'NoPermission', moRefKey(ref));
    }
    await ask(world, who, made.value, 'DestroyView');
    for (const ref of some) {
      const { fault } = await ask(world, who, viewManager, 'CreateListView', { obj: [ref] });
      assert.equal(fault, world.may(who, ref, 'System.View') ? undefined : 'NoPermission', moRefKey(ref));
    }
    const { value: inventory } = await ask<MoRef>(world, who, viewManager, 'CreateInventoryView');
    await ask(world, who, inventory, 'OpenInventoryViewFolder', { entity: all });
    const { value: list } = await read<MoRef[]>(world, who, inventory, 'view');
    for (const ref of listOf(list)) assert.ok(world.may(who, ref, 'System.View'), moRefKey(ref));
    await ask(world, who, inventory, 'DestroyView');
    for (const ref of listOf((await read<MoRef[]>(world, who, viewManager, 'viewList')).value))
      if (ref.value !== kept.get(who)?.value) await ask(world, who, ref, 'DestroyView');
  },
};

/** What is in the root folder for somebody: from container to container. */
function below(world: World, who: Tenant): MoRef[] {
  const { graph } = world.service;
  const found = new Map<string, MoRef>();
  const pending: MoRef[] = [world.root];
  for (const ref of pending) {
    const children = [
      'childEntity',
      'vmFolder',
      'hostFolder',
      'datastoreFolder',
      'networkFolder',
      'host',
      'resourcePool',
      'vm',
    ];
    const type = CONTAINERS.find((one) => schema.isSubtype(ref.type, one));
    if (!type) continue;
    for (const path of children) {
      const field = schema.field(type, path);
      if (!field || !isChildLink(type, path) || !world.may(who, ref, field.privilege ?? 'System.Read')) continue;
      for (const child of listOf(graph.get(ref).getPath(path) as MoRef | MoRef[] | undefined)) {
        if (found.has(moRefKey(child)) || !graph.find(child) || !world.may(who, child, 'System.View')) continue;
        found.set(moRefKey(child), child);
        pending.push(child);
      }
    }
  }
  return [...found.values()];
}

const kept = new WeakMap<Tenant, MoRef>();

const CONTAINERS = ['Folder', 'Datacenter', 'ComputeResource', 'ResourcePool', 'HostSystem'];
const isChildLink = (type: string, path: string) =>
  ({
    Folder: ['childEntity'],
    Datacenter: ['vmFolder', 'hostFolder', 'datastoreFolder', 'networkFolder'],
    ComputeResource: ['host', 'resourcePool'],
    ResourcePool: ['resourcePool', 'vm'],
    HostSystem: ['vm'],
  })[type]?.includes(path) ?? false;
