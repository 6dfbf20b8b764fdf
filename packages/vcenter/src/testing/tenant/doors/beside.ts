// For tests: the storage policy service, and what is told to everybody.
import assert from 'node:assert/strict';
import { type MoRef, moRef, schema } from '@vivarium/vim';
import { ask, compareWithoutLogin, listOf } from '@vivarium/vmomi/testing/tenant';
import { type CenterDoors, ROOT } from '../world.ts';

export const besideDoors: CenterDoors = {
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
    const names = world.entities().map((ref) => world.read<string>(ref, 'name'));
    const secrets = [...new Set(names)].filter((name) => /^(DC|esx|datastore1)/.test(name));
    await compareWithoutLogin(world, who, { open: OPEN_PATHS, closed: CLOSED_PATHS, secrets });
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

const OPEN_PATHS = {
  '/sdk': 405,
  '/sdk/': 405,
  '/pbm': 405,
  '/pbm/': 405,
  '/sdk/vimServiceVersions.xml': 200,
  '/sdk/vimService.wsdl': 200,
  '/about': 200,
  '/openapi.json': 200,
};
const CLOSED_PATHS = ['/metrics', '/folder', '/folder/a?dsName=shared', '/screen?id=vm-1'];
