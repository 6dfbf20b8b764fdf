// For tests: a random inventory with random roles, users, groups and permissions, behind all of vCenter's doors.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { MethodFault, type MoRef } from '@vivarium/vim';
import { type Draw, permissionWorld, type Tenant, type World as TenantWorld } from '@vivarium/vmomi/testing/tenant';
import { ROOT_FOLDER } from '../../folder/create-entity.ts';
import { SsoDomain } from '../../sso/sso-domain.ts';
import type { FakeHost } from '../fake-host.ts';
import { type TestCenter, testCenter } from '../test-center.ts';
import { beginImport, buildInventory } from './build-inventory.ts';
import { serve } from './serve.ts';

export const ROOT = ROOT_FOLDER as MoRef;

export interface World extends TenantWorld {
  readonly center: TestCenter;
  readonly hosts: readonly FakeHost[];
  readonly domain: SsoDomain;
  /** Of an import of the administrator's, which is under way. */
  readonly lease: MoRef;
  /** A VM, datastore or network moves to another folder, a VM to another pool, a folder into another. */
  changeInventory(): Promise<void>;
}

export type CenterDoors = Readonly<Record<string, (world: World, who: Tenant) => Promise<void>>>;

const MOVABLE: readonly string[] = ['VirtualMachine', 'Datastore', 'Network', 'Folder', 'ClusterComputeResource'];

export async function tenantWorld(context: TestContext, draw: Draw): Promise<World> {
  const center = await testCenter(context);
  const { service } = center;
  const domain = new SsoDomain({ store: service.store, random: service.random, clock: service.clock });
  await domain.ensureAdministrator(async () => undefined, 'Vivarium-1');
  const served = await serve(context, center, domain);
  const hosts = await buildInventory(center, draw);
  const lease = await beginImport(center);
  const world = await permissionWorld(service, draw, served);
  return Object.assign(world, {
    center,
    domain,
    hosts,
    lease,
    async changeInventory() {
      const all = world.entities();
      const moved = draw.pick(all.filter(({ type }) => MOVABLE.includes(type)));
      const isToPool = moved.type === 'VirtualMachine' && draw.below(2) === 0;
      const target = draw.pick(all.filter(({ type }) => type === (isToPool ? 'ResourcePool' : 'Folder')));
      const list = [moved];
      const move = isToPool
        ? center.invoke(target, 'MoveIntoResourcePool', { list })
        : center.task(target, 'MoveIntoFolder_Task', { list });
      // Where it cannot go it stays.
      await move.catch((error: unknown) => assert.ok(error instanceof MethodFault, String(error)));
      world.changed();
    },
  });
}
