// For tests: what somebody learns of permissions, of statistics, and of what other sessions keep.
import assert from 'node:assert/strict';
import { type MoRef, moRefKey } from '@vivarium/vim';
import { ask, read } from '../ask.ts';
import { content, type Doors, listOf } from '../door.ts';
import { FOLLOWED } from './live-updates.ts';
import { everythingSpec } from './traversal.ts';

export const rightsDoors: Doors = {
  async permissions(world, who) {
    const { authorizationManager: ref } = content(world);
    const all = listOf((await ask<{ entity: MoRef }[]>(world, world.admin, ref, 'RetrieveAllPermissions')).value);
    const seen = await ask<{ entity: MoRef }[]>(world, who, ref, 'RetrieveAllPermissions');
    if (world.may(who, world.root, 'System.View')) {
      const wanted = all.filter(({ entity }) => world.may(who, entity, 'System.Read'));
      assert.deepEqual(listOf(seen.value), wanted);
      const ofRole = await ask<{ entity: MoRef }[]>(world, who, ref, 'RetrieveRolePermissions', { roleId: -2 });
      for (const { entity } of listOf(ofRole.value)) assert.ok(world.may(who, entity, 'System.Read'), moRefKey(entity));
    }
    for (const entity of world.some()) {
      const isRead = world.may(who, entity, 'System.Read');
      const own = await ask(world, who, ref, 'RetrieveEntityPermissions', { entity, inherited: true });
      assert.equal(own.fault, isRead ? undefined : 'NoPermission', moRefKey(entity));
      const privileges = [...PRIVILEGES];
      const held = await ask<{ privileges?: string[] }[]>(world, who, ref, 'FetchUserPrivilegeOnEntities', {
        entities: [entity],
        userName: who.userName,
      });
      if (held.fault !== undefined) {
        assert.ok(!world.may(who, entity, 'System.View'));
        continue;
      }
      assert.ok(world.may(who, entity, 'System.View'));
      const { sessionId } = { sessionId: who.session.key };
      if (!isRead || !world.may(who, world.root, 'System.View')) continue;
      const has = await ask<boolean[]>(world, who, ref, 'HasPrivilegeOnEntity', {
        entity,
        sessionId,
        privId: privileges,
      });
      assert.deepEqual(
        listOf(has.value),
        privileges.map((privilege) => world.may(who, entity, privilege)),
        moRefKey(entity),
      );
    }
  },

  async statistics(world, who) {
    const { perfManager } = content(world);
    if (!world.may(who, world.root, 'System.View')) return;
    for (const ref of world.some().filter(({ type }) => type === 'VirtualMachine' || type === 'HostSystem')) {
      const isRead = world.may(who, ref, 'System.Read');
      const summary = await ask(world, who, perfManager, 'QueryPerfProviderSummary', { entity: ref });
      assert.equal(summary.fault, isRead ? undefined : 'NoPermission', moRefKey(ref));
      const spec = { _typeName: 'PerfQuerySpec', entity: ref, intervalId: 20, maxSample: 1 };
      const { fault } = await ask(world, who, perfManager, 'QueryPerf', { querySpec: [spec] });
      // Where nothing is measured that is said to those who may know.
      assert.equal(fault === 'NoPermission', !isRead, `${moRefKey(ref)}: ${fault}`);
    }
  },

  async "others' sessions"(world, who) {
    const { sessionManager, viewManager, propertyCollector } = content(world);
    const list = await read(world, who, sessionManager, 'sessionList');
    const mayEnd = world.may(who, world.root, 'Sessions.TerminateSession');
    assert.equal(list.fault, mayEnd ? undefined : 'NoPermission');
    if (!mayEnd) {
      const ended = await ask(world, who, sessionManager, 'TerminateSession', { sessionId: [world.admin.session.key] });
      assert.equal(ended.fault, 'NoPermission');
    }
    const view = (
      await ask<MoRef>(world, world.admin, viewManager, 'CreateContainerView', {
        container: world.root,
        recursive: true,
      })
    ).value;
    const filter = (
      await ask<MoRef>(world, world.admin, propertyCollector, 'CreateFilter', {
        spec: everythingSpec(world, FOLLOWED),
        partialUpdates: false,
      })
    ).value;
    for (const [ref, property] of [
      [view, 'view'],
      [filter, 'spec'],
    ] as const) {
      assert.equal((await read(world, who, ref, property)).fault, 'ManagedObjectNotFound');
    }
    assert.equal((await ask(world, who, view, 'DestroyView')).fault, 'ManagedObjectNotFound');
    assert.equal((await ask(world, who, filter, 'DestroyPropertyFilter')).fault, 'ManagedObjectNotFound');
    assert.equal((await ask(world, world.admin, view, 'DestroyView')).fault, undefined);
    assert.equal((await ask(world, world.admin, filter, 'DestroyPropertyFilter')).fault, undefined);
  },
};

const PRIVILEGES = [
  'System.View',
  'System.Read',
  'VirtualMachine.Interact.PowerOn',
  'Folder.Create',
  'Datastore.Browse',
];
