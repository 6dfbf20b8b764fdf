// For tests: a random inventory with random roles, users, groups and permissions, behind all of vCenter's doors.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { MethodFault, type MoRef, moRefKey, schema } from '@vivarium/vim';
import type { Call, Session } from '@vivarium/vmomi';
import { ROOT_FOLDER } from '../../folder/create-entity.ts';
import { SsoDomain } from '../../sso/sso-domain.ts';
import type { FakeHost } from '../fake-host.ts';
import { type TestCenter, testCenter } from '../test-center.ts';
import { SPEECHES, type Speech } from './ask.ts';
import { beginImport, buildInventory, makeRoles } from './build-inventory.ts';
import type { Draw } from './draw.ts';
import { type Key, may, mayChange, NO_ACCESS, type Person, type Rules } from './oracle.ts';
import { type Served, serve } from './serve.ts';

export const ROOT = ROOT_FOLDER as MoRef;

export interface Tenant extends Person {
  readonly session: Session;
  readonly call: Call;
}

export interface World extends Served {
  readonly center: TestCenter;
  readonly draw: Draw;
  /** What its clients speak now. */
  speech: Speech;
  readonly hosts: readonly FakeHost[];
  readonly tenants: readonly Tenant[];
  readonly admin: Tenant;
  readonly domain: SsoDomain;
  /** Of an import of the administrator's, which is under way. */
  readonly lease: MoRef;
  /** One more session. */
  open(person: Person): Tenant;
  /** The inventory has changed: what the oracle has said is no longer true. */
  changed(): void;
  may(who: Person, entity: MoRef, privilege: string): boolean;
  mayChange(who: Person, entity: MoRef): boolean;
  /** Everything of the inventory. */
  entities(): MoRef[];
  /** Some of it. */
  some(): MoRef[];
  /** A VM, datastore or network moves to another folder, a VM to another pool, a folder into another. */
  changeInventory(): Promise<void>;
  /** One permission more, or another role in its place, or one less. */
  changePermissions(): Promise<void>;
}

/** Entities that are asked for one by one. */
const SOME = 12;
const MOVABLE: readonly string[] = ['VirtualMachine', 'Datastore', 'Network', 'Folder', 'ClusterComputeResource'];
/** Anonymous and View. */
const UNGRANTABLE: readonly number[] = [-4, -3];

export async function tenantWorld(context: TestContext, draw: Draw): Promise<World> {
  const center = await testCenter(context);
  const { service } = center;
  const domain = new SsoDomain({ store: service.store, random: service.random, clock: service.clock });
  await domain.ensureAdministrator(async () => undefined, 'Vivarium-1');
  const served = await serve(context, center, domain);
  const hosts = await buildInventory(center, draw);
  const lease = await beginImport(center);
  const open = (person: Person): Tenant => {
    const origin = { ipAddress: '127.0.0.1', userAgent: 'test', locale: 'en' };
    const session = service.sessions.open({ ...person, fullName: person.userName }, origin);
    return { ...person, session, call: callOf(center, session) };
  };
  const groups = ['g0', 'g1', 'g2', 'g3'];
  const tenants = ['u0', 'u1', 'u2', 'u3', 'u4'].map((userName) =>
    open({ userName, groups: groups.filter(() => draw.below(2) === 0) }),
  );
  const admin = open({ userName: 'root', groups: [] });
  const { authorization } = service;
  await makeRoles(center, draw);
  /** What was set, as it is kept; what follows from it is for the oracle to say. */
  const rules = (): Rules => ({
    tree: { root: moRefKey(ROOT), parentsOf: (entity) => parentsOf(center, entity) },
    permissions: authorization.allPermissions().map(({ entity, principal, isGroup, roleId, propagate }) => ({
      entity: moRefKey(entity),
      principal,
      isGroup,
      role: roleId === -5 ? NO_ACCESS : String(roleId),
      propagate,
    })),
    roles: new Map(authorization.listRoles().map(({ roleId, privileges }) => [String(roleId), privileges])),
  });
  let now = rules();
  const said = new Map<string, boolean>();
  const once = (who: Person, question: string, answer: () => boolean): boolean => {
    const key = `${who.userName} ${question}`;
    let known = said.get(key);
    if (known === undefined) said.set(key, (known = answer()));
    return known;
  };
  const changed = () => {
    now = rules();
    said.clear();
  };
  const world: World = {
    ...served,
    center,
    draw,
    domain,
    lease,
    open,
    speech: draw.pick(SPEECHES),
    hosts,
    tenants,
    admin,
    changed,
    may: (who, entity, privilege) =>
      once(who, `${privilege} ${moRefKey(entity)}`, () => may(now, who, moRefKey(entity), privilege)),
    mayChange: (who, entity) => once(who, moRefKey(entity), () => mayChange(now, who, moRefKey(entity))),
    entities: () =>
      [...service.graph.all()].map(({ ref }) => ref).filter(({ type }) => schema.isSubtype(type, 'ManagedEntity')),
    some() {
      const all = world.entities();
      return Array.from({ length: SOME }, () => draw.pick(all));
    },
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
      changed();
    },
    async changePermissions() {
      const own = authorization.allPermissions().filter(({ principal }) => principal !== 'root');
      if (own.length > 4 && draw.below(3) === 0) {
        const { entity, principal, isGroup } = draw.pick(own);
        await authorization.revoke(entity, principal, isGroup);
      } else {
        const isGroup = draw.below(2) === 0;
        const roleId = draw.below(6) === 0 ? -5 : draw.pick(authorization.listRoles()).roleId;
        const permission = {
          principal: draw.pick(isGroup ? groups : tenants.map(({ userName }) => userName)),
          isGroup,
          roleId: UNGRANTABLE.includes(roleId) ? -2 : roleId,
          propagate: draw.below(3) > 0,
        };
        await authorization.grant(draw.pick(world.entities()), [permission]);
      }
      changed();
    },
  };
  for (let count = 0; count < 24; count++) await world.changePermissions();
  return world;
}

export function callOf({ service }: TestCenter, session: Session): Call {
  return {
    session,
    version: schema.versions[0] ?? schema.legacyVersion,
    signal: new AbortController().signal,
    service,
    remoteAddress: '127.0.0.1',
  };
}

export function refOf(key: Key): MoRef {
  const at = key.indexOf(':');
  return { type: key.slice(0, at), value: key.slice(at + 1) } as MoRef;
}

/** What is gone, or hangs nowhere, is below the root. */
function parentsOf({ service }: TestCenter, entity: Key): Key[] {
  const ref = refOf(entity);
  if (entity === moRefKey(ROOT)) return [];
  const object = service.graph.find(ref);
  const parent = (object?.getPath('parent') ?? object?.getPath('parentVApp')) as MoRef | undefined;
  const pool = ref.type === 'VirtualMachine' ? (object?.getPath('resourcePool') as MoRef | undefined) : undefined;
  return [parent ?? ROOT, ...(pool ? [pool] : [])].map(moRefKey);
}
