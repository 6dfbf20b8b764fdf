// For tests: the property collector. From the root along every link that the schema knows, and single objects by their ids.
import assert from 'node:assert/strict';
import { type MoRef, moRefKey, schema } from '@vivarium/vim';
import { ask, read } from '../ask.ts';
import { content, type Doors, keys } from '../door.ts';
import { knows } from '../speech.ts';
import type { Tenant, World } from '../world.ts';

export const traversalDoors: Doors = {
  async traversal(world, who) {
    const spec = everythingSpec(world, { all: true });
    const { fault, value } = await ask<{ objects?: ObjectContent[] } | undefined>(
      world,
      who,
      content(world).propertyCollector,
      'RetrievePropertiesEx',
      {
        specSet: [spec],
        options: { _typeName: 'RetrieveOptions' },
      },
    );
    assert.equal(fault, undefined);
    const found = value?.objects ?? [];
    // The root is named, so it is told of; what is seen of it is another matter.
    const wanted = new Set([...reachable(world, who), moRefKey(world.root)]);
    assert.deepEqual(keys(found.map(({ obj }) => obj)), [...wanted].sort());
    for (const content of found) checkContent(world, who, content);
  },

  async 'direct references'(world, who) {
    for (const ref of world.some()) {
      const { fault, value } = await read(world, who, ref, 'name');
      const isSeen = world.may(who, ref, 'System.View');
      assert.equal(fault, isSeen ? undefined : 'NoPermission', moRefKey(ref));
      if (isSeen) assert.equal(value, world.read(ref, 'name'));
      const status = await read(world, who, ref, 'overallStatus');
      assert.equal(status.fault, world.may(who, ref, 'System.Read') ? undefined : 'NoPermission', moRefKey(ref));
    }
  },
};

export interface ObjectContent {
  readonly obj: MoRef;
  readonly propSet?: readonly { readonly name: string; readonly val: unknown }[];
  readonly missingSet?: readonly {
    readonly path: string;
    readonly fault: { readonly fault: { readonly _typeName: string } };
  }[];
}

/** Every link between entities that the schema knows, of the types that there are, as far as the client knows them. */
function links(world: World): { readonly type: string; readonly path: string; readonly privilege: string }[] {
  const types = new Set(world.entities().map(({ type }) => type));
  const found = [...types].flatMap((type) =>
    (schema.managed(type)?.fields ?? [])
      .filter((field) => field.kind === 'managed' && schema.isSubtype(field.type, 'ManagedEntity'))
      .filter((field) => knows(world.speech, field) && knows(world.speech, rankOf(type)))
      .map(({ name, privilege = 'System.Read' }) => ({ type: declarer(type, name), path: name, privilege })),
  );
  const nested = [
    { type: 'VirtualMachine', path: 'runtime.host', privilege: 'System.Read' },
    { type: 'VirtualMachine', path: 'summary.vm', privilege: 'System.Read' },
    { type: 'HostSystem', path: 'summary.host', privilege: 'System.Read' },
  ];
  return [...new Map([...found, ...nested].map((one) => [`${one.type}.${one.path}`, one])).values()];
}

const rankOf = (type: string) => ({ rank: schema.managed(type)?.rank ?? 0 });

/** The base type that has the property first. */
function declarer(type: string, path: string): string {
  const base = schema.managed(type)?.base;
  return base !== undefined && schema.field(base, path) ? declarer(base, path) : type;
}

const link = (type: string, path: string, selectSet: readonly object[] = []) => ({
  _typeName: 'TraversalSpec',
  name: `${type}.${path}`,
  type,
  path,
  skip: false,
  selectSet,
});

/** From the root along every link, as the oracle has it. */
function reachable(world: World, who: Tenant): string[] {
  const all = links(world);
  const { graph } = world.service;
  const met = new Set<string>();
  const pending: MoRef[] = [world.root];
  for (const ref of pending) {
    if (met.has(moRefKey(ref))) continue;
    if (!graph.find(ref) || !world.may(who, ref, 'System.View')) continue;
    met.add(moRefKey(ref));
    for (const { type, path, privilege } of all) {
      if (!schema.isSubtype(ref.type, type) || !world.may(who, ref, privilege)) continue;
      pending.push(
        ...[graph.get(ref).getPath(path) as MoRef | MoRef[] | undefined].flat().filter((one) => one !== undefined),
      );
    }
  }
  return [...met].sort();
}

export function everythingSpec(
  world: World,
  properties: { readonly all: boolean; readonly pathSet?: readonly string[] },
): object {
  const all = links(world);
  const names = all.map(({ type, path }) => ({ _typeName: 'SelectionSpec', name: `${type}.${path}` }));
  return {
    _typeName: 'PropertyFilterSpec',
    propSet: [{ _typeName: 'PropertySpec', type: 'ManagedEntity', ...properties }],
    objectSet: [
      {
        _typeName: 'ObjectSpec',
        obj: world.root,
        skip: false,
        selectSet: all.map(({ type, path }) => link(type, path, names)),
      },
    ],
    reportMissingObjectsInResults: false,
  };
}

/** Values are there where the oracle allows, reasons where it does not. */
function checkContent(world: World, who: Tenant, { obj, propSet = [], missingSet = [] }: ObjectContent): void {
  const privilegeOf = (path: string) => schema.field(obj.type, path.split('.')[0] ?? '')?.privilege ?? 'System.Read';
  for (const { name } of propSet) {
    assert.ok(world.may(who, obj, privilegeOf(name)), `sees ${moRefKey(obj)}.${name}`);
  }
  for (const { path, fault } of missingSet) {
    assert.equal(fault.fault._typeName, 'NoPermission', `${moRefKey(obj)}.${path}`);
    assert.ok(!world.may(who, obj, privilegeOf(path)), `is refused ${moRefKey(obj)}.${path}`);
  }
}
