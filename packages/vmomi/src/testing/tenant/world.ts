// For tests: a daemon with random roles, users, groups and permissions on its inventory, and somebody to ask through its doors.
import { type MoRef, moRefKey, schema } from '@vivarium/vim';
import type { Call } from '../../call.ts';
import type { Service } from '../../service.ts';
import type { Session } from '../../session/session.ts';
import type { Draw } from './draw.ts';
import { type Key, may, mayChange, NO_ACCESS, type Person, type Rules } from './oracle.ts';
import { SPEECHES, type Speech } from './speech.ts';

export interface Tenant extends Person {
  readonly session: Session;
  readonly call: Call;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** A daemon's HTTP doors, and a list of those that somebody has come through. */
export interface Served {
  /** Where it is served. */
  readonly url: string;
  /** All routes: `GET /screen`. Without those that Fastify makes for HEAD: they are GET's. */
  readonly routes: ReadonlySet<string>;
  /** Those that were asked by anybody but the administrator. */
  readonly driven: ReadonlySet<string>;
  send(method: string, path: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Answer>;
}

export interface World extends Served {
  readonly service: Service;
  readonly root: MoRef;
  readonly draw: Draw;
  /** What its clients speak now. */
  speech: Speech;
  readonly tenants: readonly Tenant[];
  readonly admin: Tenant;
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
  /** As it is, whoever asks. */
  read<T>(ref: MoRef, path: string): T;
  /** By the administrator. */
  invoke<R>(ref: MoRef, method: string, args?: object): Promise<R>;
  /** One permission more, or another role in its place, or one less. */
  changePermissions(): Promise<void>;
}

/** Entities that are asked for one by one. */
const SOME = 12;
/** Anonymous and View. */
const UNGRANTABLE: readonly number[] = [-4, -3];
const GROUPS = ['g0', 'g1', 'g2', 'g3'];
const USERS = ['u0', 'u1', 'u2', 'u3', 'u4'];
const PERMISSIONS = 24;

/** `root` is an administrator there, the inventory is complete. */
export async function permissionWorld(service: Service, draw: Draw, served: Served): Promise<World> {
  const { authorization } = service;
  const root = service.rootFolder as MoRef;
  const open = (person: Person): Tenant => {
    const origin = { ipAddress: '127.0.0.1', userAgent: 'test', locale: 'en' };
    const session = service.sessions.open({ ...person, fullName: person.userName }, origin);
    return { ...person, session, call: callOf(service, session) };
  };
  const tenants = USERS.map((userName) => open({ userName, groups: GROUPS.filter(() => draw.below(2) === 0) }));
  const admin = open({ userName: 'root', groups: [] });
  await makeRoles(service, draw);
  let now = rulesOf(service);
  const said = new Map<string, boolean>();
  const once = (who: Person, question: string, answer: () => boolean): boolean => {
    const key = `${who.userName} ${question}`;
    let known = said.get(key);
    if (known === undefined) said.set(key, (known = answer()));
    return known;
  };
  const world: World = {
    ...served,
    service,
    root,
    draw,
    open,
    speech: draw.pick(SPEECHES),
    tenants,
    admin,
    changed() {
      now = rulesOf(service);
      said.clear();
    },
    may: (who, entity, privilege) =>
      once(who, `${privilege} ${moRefKey(entity)}`, () => may(now, who, moRefKey(entity), privilege)),
    mayChange: (who, entity) => once(who, moRefKey(entity), () => mayChange(now, who, moRefKey(entity))),
    entities: () =>
      [...service.graph.all()].map(({ ref }) => ref).filter(({ type }) => schema.isSubtype(type, 'ManagedEntity')),
    some() {
      const all = world.entities();
      return Array.from({ length: SOME }, () => draw.pick(all));
    },
    read: <T>(ref: MoRef, path: string) => service.graph.get(ref).getPath(path) as T,
    invoke: async <R>(ref: MoRef, method: string, args: object = {}) =>
      (await service.invoke({ this: ref, method, args: { ...args } }, admin.call)) as R,
    async changePermissions() {
      const own = authorization.allPermissions().filter(({ principal }) => principal !== 'root');
      if (own.length > 4 && draw.below(3) === 0) {
        const { entity, principal, isGroup } = draw.pick(own);
        await authorization.revoke(entity, principal, isGroup);
      } else {
        const isGroup = draw.below(2) === 0;
        const roleId = draw.below(6) === 0 ? -5 : draw.pick(authorization.listRoles()).roleId;
        const permission = {
          principal: draw.pick(isGroup ? GROUPS : USERS),
          isGroup,
          roleId: UNGRANTABLE.includes(roleId) ? -2 : roleId,
          propagate: draw.below(3) > 0,
        };
        await authorization.grant(draw.pick(world.entities()), [permission]);
      }
      world.changed();
    },
  };
  for (let count = 0; count < PERMISSIONS; count++) await world.changePermissions();
  return world;
}

/** Roles of few privileges, of half of them, and of all that concern VMs and datastores. */
async function makeRoles({ authorization }: Service, draw: Draw): Promise<void> {
  const everything = [...authorization.role(-1).privileges];
  const some = (share: number) => everything.filter(() => draw.below(share) === 0);
  await authorization.addRole('few', some(6));
  await authorization.addRole('half', some(2));
  const machines = everything.filter((id) => /^(VirtualMachine|Datastore|Network|Resource)\./.test(id));
  await authorization.addRole('machines', machines);
}

/** What was set, as it is kept; what follows from it is for the oracle to say. */
function rulesOf(service: Service): Rules {
  const { authorization, rootFolder } = service;
  return {
    tree: { root: moRefKey(rootFolder), parentsOf: (entity) => parentsOf(service, entity) },
    permissions: authorization.allPermissions().map(({ entity, principal, isGroup, roleId, propagate }) => ({
      entity: moRefKey(entity),
      principal,
      isGroup,
      role: roleId === -5 ? NO_ACCESS : String(roleId),
      propagate,
    })),
    roles: new Map(authorization.listRoles().map(({ roleId, privileges }) => [String(roleId), privileges])),
  };
}

function callOf(service: Service, session: Session): Call {
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
function parentsOf({ graph, rootFolder }: Service, entity: Key): Key[] {
  const ref = refOf(entity);
  if (entity === moRefKey(rootFolder)) return [];
  const object = graph.find(ref);
  const parent = (object?.getPath('parent') ?? object?.getPath('parentVApp')) as MoRef | undefined;
  const pool = ref.type === 'VirtualMachine' ? (object?.getPath('resourcePool') as MoRef | undefined) : undefined;
  return [parent ?? rootFolder, ...(pool ? [pool] : [])].map((one) => moRefKey(one));
}
