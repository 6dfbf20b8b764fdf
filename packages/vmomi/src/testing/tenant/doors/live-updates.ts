// For tests: a filter that somebody keeps while inventory and permissions change tells in the end what a new one tells.
import assert from 'node:assert/strict';
import { type MoRef, moRefKey } from '@vivarium/vim';
import { ask, type Said } from '../ask.ts';
import { content, type Doors } from '../door.ts';
import type { Speech } from '../speech.ts';
import type { Tenant, World } from '../world.ts';
import { everythingSpec, type ObjectContent } from './traversal.ts';

export const liveUpdateDoors: Doors = {
  async 'live updates'(world, who) {
    const known = await follow(world, who);
    if (!known) return;
    const { value } = await ask<{ objects?: ObjectContent[] } | undefined>(
      world,
      who,
      content(world).propertyCollector,
      'RetrievePropertiesEx',
      {
        specSet: [everythingSpec(world, FOLLOWED)],
        options: { _typeName: 'RetrieveOptions' },
      },
    );
    const now = new Map((value?.objects ?? []).map((content) => [moRefKey(content.obj), propertiesOf(content)]));
    assert.deepEqual(sorted(known), sorted(now));
  },
};

export const FOLLOWED = { all: false, pathSet: ['name', 'parent', 'overallStatus'] };

const sorted = (map: ReadonlyMap<string, unknown>) => [...map].sort(([one], [other]) => (one < other ? -1 : 1));

interface Followed {
  /** The filter has the links that the client knew when it began. */
  readonly speech: Speech;
  readonly collector: MoRef;
  version: string;
  readonly objects: Map<string, Record<string, unknown>>;
}

const following = new WeakMap<Tenant, Followed>();

/** All that one filter has told somebody so far. */
async function follow(world: World, who: Tenant): Promise<ReadonlyMap<string, object> | undefined> {
  let followed = following.get(who);
  if (!followed) {
    const spec = everythingSpec(world, FOLLOWED);
    // Who may see nothing at all may not begin; whoever has begun goes on, whatever is taken away.
    if (!world.may(who, world.root, 'System.View')) return undefined;
    const { propertyCollector } = content(world);
    const collector = (await world.service.invoke(
      { this: propertyCollector, method: 'CreatePropertyCollector', args: {} },
      who.call,
    )) as MoRef;
    await world.service.invoke(
      { this: collector, method: 'CreateFilter', args: { spec, partialUpdates: false } },
      who.call,
    );
    const { speech } = world;
    following.set(who, (followed = { speech, collector, version: '', objects: new Map() }));
  }
  const { objects } = followed;
  world.speech = followed.speech;
  for (;;) {
    const { value, fault }: Said<Update | undefined> = await ask(world, who, followed.collector, 'WaitForUpdatesEx', {
      version: followed.version,
      options: { _typeName: 'WaitOptions', maxWaitSeconds: 0 },
    });
    assert.equal(fault, undefined);
    if (!value) return objects;
    followed.version = value.version;
    for (const { objectSet = [] } of value.filterSet ?? []) {
      for (const { kind, obj, changeSet = [], missingSet = [] } of objectSet) {
        const key = moRefKey(obj);
        if (kind === 'leave') objects.delete(key);
        else {
          const properties = kind === 'enter' ? {} : { ...objects.get(key) };
          for (const { name, val } of changeSet) {
            if (val === undefined) delete properties[name];
            else properties[name] = plain(val);
          }
          for (const { path } of missingSet) properties[path] = MISSING;
          objects.set(key, properties);
        }
      }
    }
  }
}

const MISSING = 'missing';

interface Update {
  readonly version: string;
  readonly filterSet?: readonly {
    readonly objectSet?: readonly {
      readonly kind: string;
      readonly obj: MoRef;
      readonly changeSet?: readonly { readonly name: string; readonly val?: unknown }[];
      readonly missingSet?: readonly { readonly path: string }[];
    }[];
  }[];
}

function propertiesOf({ propSet = [], missingSet = [] }: ObjectContent): object {
  return Object.fromEntries([
    ...propSet.map(({ name, val }) => [name, plain(val)]),
    ...missingSet.map(({ path }) => [path, MISSING]),
  ]);
}

/** Every language writes a value in its own way. */
function plain(val: unknown): unknown {
  if (typeof val !== 'object' || val === null) return val;
  if ('_value' in val) return val._value;
  const { type, value } = val as MoRef;
  return { type, value };
}
