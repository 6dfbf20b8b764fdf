// For tests: a random host with random roles, users, groups and permissions, behind all of its doors.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { MethodFault, type MoRef } from '@vivarium/vim';
import { type LocalUser, localUser } from '@vivarium/vmomi';
import { type Draw, permissionWorld, type Tenant, type World } from '@vivarium/vmomi/testing/tenant';
import { beginImport, buildInventory } from './build-inventory.ts';
import { type ServedHost, serveHost } from './serve.ts';

export interface HostWorld extends World, Pick<ServedHost, 'directory' | 'hostd'> {
  readonly owner: LocalUser;
  /** Of an import of the administrator's, which is under way. */
  readonly lease: MoRef;
  /** A VM or a pool moves to another pool, a VM gets another name or another state. */
  changeInventory(): Promise<void>;
}

export type HostDoors = Readonly<Record<string, (world: HostWorld, who: Tenant) => Promise<void>>>;

export async function hostWorld(context: TestContext, draw: Draw): Promise<HostWorld> {
  const served = await serveHost(context);
  const { service } = served.hostd;
  await service.authorization.grantAdmin('root');
  const owner = localUser(service, { userName: 'root', fullName: 'root', groups: [] }, 'test');
  await buildInventory(owner, draw, served.directory);
  const lease = await beginImport(owner);
  const world = await permissionWorld(service, draw, served);
  return Object.assign(world, {
    directory: served.directory,
    hostd: served.hostd,
    owner,
    lease,
    async changeInventory() {
      const all = world.entities();
      const ofType = (type: string) => draw.pick(all.filter((ref) => ref.type === type));
      const list = [draw.below(3) === 0 ? ofType('ResourcePool') : ofType('VirtualMachine')];
      const change = draw.pick([
        () => owner.invoke(ofType('ResourcePool'), 'MoveIntoResourcePool', { list }),
        () => owner.run(ofType('VirtualMachine'), 'Rename_Task', { newName: `tenant-vm${draw.below(1_000)}` }),
        () => owner.run(ofType('VirtualMachine'), draw.pick(['PowerOnVM_Task', 'PowerOffVM_Task'])),
      ]);
      // What cannot be stays as it is.
      await change().catch((error: unknown) => assert.ok(error instanceof MethodFault, String(error)));
      world.changed();
    },
  });
}
