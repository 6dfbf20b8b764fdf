// For tests: SearchIndex.
import assert from 'node:assert/strict';
import { type MoRef, moRefKey } from '@vivarium/vim';
import { ask } from '../ask.ts';
import { ancestors, content, type Doors, keys, listOf } from '../door.ts';

export const searchDoors: Doors = {
  async search(world, who) {
    const { searchIndex } = content(world);
    if (!world.may(who, world.root, 'System.View')) return;
    const find = async (method: string, args: object) =>
      keys(listOf((await ask<MoRef[]>(world, who, searchIndex, method, args)).value));
    for (const ref of world.some()) {
      const name = world.read<string>(ref, 'name');
      const parent = world.read<MoRef | undefined>(ref, 'parent');
      const wanted = (privilege: string) => (world.may(who, ref, privilege) ? [moRefKey(ref)] : []);
      if (parent)
        assert.deepEqual(await find('FindChild', { entity: parent, name }), wanted('System.View'), moRefKey(ref));
      const path = [...ancestors(world, ref)].reverse();
      const isOpen = [...path, ref].every((one) => world.may(who, one, 'System.View'));
      const inventoryPath = [...path.slice(1), ref].map((one) => world.read<string>(one, 'name')).join('/');
      if (parent)
        assert.deepEqual(
          await find('FindByInventoryPath', { inventoryPath }),
          isOpen ? [moRefKey(ref)] : [],
          inventoryPath,
        );
      if (ref.type === 'VirtualMachine') {
        const uuid = world.read<string>(ref, 'config.instanceUuid');
        assert.deepEqual(
          await find('FindByUuid', { uuid, vmSearch: true, instanceUuid: true }),
          wanted('System.Read'),
          uuid,
        );
      }
      if (ref.type === 'HostSystem') {
        assert.deepEqual(
          await find('FindAllByDnsName', { dnsName: name, vmSearch: false }),
          wanted('System.Read'),
          name,
        );
      }
    }
  },
};
