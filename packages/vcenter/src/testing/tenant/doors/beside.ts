// For tests: the storage policy service, and what is told to everybody.
import assert from 'node:assert/strict';
import { type MoRef, moRef, schema } from '@vivarium/vim';
import { ask, fetchFrom } from '../ask.ts';
import { content, type Doors, listOf } from '../door.ts';
import { ROOT, type Tenant } from '../world.ts';

export const besideDoors: Doors = {
  async 'storage policies'(world, who) {
    const profiles = moRef('PbmProfileProfileManager', 'ProfileManager') as MoRef;
    const solver = moRef('PbmPlacementSolver', 'placementSolver') as MoRef;
    const compliance = moRef('PbmComplianceManager', 'complianceManager') as MoRef;
    const mayCall = (ref: MoRef, method: string) =>
      world.may(who, ROOT, schema.method(ref.type, method)?.privilege ?? 'System.Read');
    for (const ref of world.some()) {
      const objectType = OBJECT_TYPES[ref.type];
      if (objectType === undefined) continue;
      const entity = { _typeName: 'PbmServerObjectRef', objectType, key: ref.value };
      const isRead = world.may(who, ref, 'System.Read');
      for (const [manager, method, args] of [
        [profiles, 'PbmQueryAssociatedProfile', { entity }],
        [compliance, 'PbmCheckCompliance', { entities: [entity] }],
      ] as const) {
        const { fault } = await ask(world, who, manager, method, args);
        assert.equal(fault, isRead && mayCall(manager, method) ? undefined : 'NoPermission', method);
      }
    }
    const { fault, value: hubs } = await ask<Compatible[]>(world, who, solver, 'PbmCheckRequirements', {});
    assert.equal(fault, mayCall(solver, 'PbmCheckRequirements') ? undefined : 'NoPermission');
    if (fault !== undefined) return;
    const datastores = world.entities().filter(({ type }) => type === 'Datastore');
    assert.deepEqual(
      listOf(hubs)
        .map(({ hub }) => hub.hubId)
        .sort(),
      datastores
        .filter((ref) => world.may(who, ref, 'System.Read'))
        .map(({ value }) => value)
        .sort(),
    );
  },

  async 'what everybody is told'(world, who) {
    const nobody: Tenant = { ...who, session: { ...who.session, id: '' } };
    const names = world.entities().map((ref) => world.center.read<string>(ref, 'name'));
    const secret = new Set(names.filter((name) => /^(DC|esx|datastore1)/.test(name)));
    for (const path of OPEN_PATHS) {
      const { status, text } = await fetchFrom(world, nobody, 'GET', path);
      assert.equal(
        status,
        path === '/sdk' || path === '/sdk/' || path === '/pbm' || path === '/pbm/' ? 405 : 200,
        path,
      );
      const told = [...secret].filter((name) => new RegExp(`\\b${name}\\b`).test(text));
      assert.deepEqual(told, [], path);
    }
    for (const path of CLOSED_PATHS) {
      for (const method of ['GET', 'HEAD'] as const) {
        assert.equal((await fetchFrom(world, nobody, method, path)).status, 401, path);
      }
    }
    const { sessionManager } = content(world);
    assert.equal((await ask(world, nobody, sessionManager, 'AcquireCloneTicket')).fault, 'NotAuthenticated');
  },
};

interface Compatible {
  readonly hub: { readonly hubId: string };
}

const OBJECT_TYPES: Readonly<Record<string, string>> = {
  VirtualMachine: 'virtualMachine',
  Datastore: 'datastore',
  HostSystem: 'host',
  ClusterComputeResource: 'cluster',
};

const OPEN_PATHS = [
  '/sdk',
  '/sdk/',
  '/pbm',
  '/pbm/',
  '/sdk/vimServiceVersions.xml',
  '/sdk/vimService.wsdl',
  '/about',
  '/openapi.json',
];
const CLOSED_PATHS = ['/metrics', '/folder', '/folder/a?dsName=shared', '/screen?id=vm-1'];
