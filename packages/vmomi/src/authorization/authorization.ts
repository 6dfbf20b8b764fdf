// Who may do what where: roles, permissions and the answer to "does this session hold that privilege on this object".
import { Mutex } from '@vivarium/base';
import type { Op, Store } from '@vivarium/store';
import { type ManagedObjectReference, MethodFault, type MoRef, moRefKey, sameRef, schema } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import { RefMap } from '../graph/ref-map.ts';
import type { Session } from '../session/session.ts';
import { type Grant, PermissionTable, type Who } from './permission-table.ts';
import { PRIVILEGES } from './privileges.ts';
import {
  IMPLIED_PRIVILEGES,
  ROLE_ADMIN,
  ROLE_ANONYMOUS,
  ROLE_NO_ACCESS,
  ROLE_VIEW,
  type Role,
  SYSTEM_ROLES,
} from './roles.ts';

/** What somebody may do at one place. */
export type PrivilegeSet = Pick<ReadonlySet<string>, 'has'>;

interface RoleRecord {
  readonly name: string;
  readonly privileges: readonly string[];
}

const ROLES = 'authorization/role/';
const GRANTS = 'authorization/permission/';
/** Deeper than any inventory: guards against a parent cycle. */
const MOST_LEVELS = 64;
const EVERYTHING: PrivilegeSet = { has: () => true };
/** What everybody may, with NoAccess and without a login. */
const NOTHING: PrivilegeSet = new Set(['System.Anonymous']);

export class Authorization {
  readonly #graph: ObjectGraph;
  readonly #store: Store;
  readonly #rootFolder: MoRef;
  readonly #isService: (userName: string) => boolean;
  readonly #table = new PermissionTable();
  readonly #roles = new Map<number, Role>(SYSTEM_ROLES.map((role) => [role.roleId, role]));
  readonly #listeners = new Set<(entity: MoRef | undefined) => void>();
  /** One change at a time: of two that take the last administrators away, the second has to know of the first. */
  readonly #writing = new Mutex();

  /** `isService`: users that nobody can log in as; they do not count when an administrator has to be left. */
  constructor(
    graph: ObjectGraph,
    store: Store,
    rootFolder: MoRef,
    isService: (userName: string) => boolean = () => false,
  ) {
    this.#graph = graph;
    this.#store = store;
    this.#rootFolder = rootFolder;
    this.#isService = isService;
    for (const { key, value } of store.range<RoleRecord>(ROLES)) this.#remember(Number(key.slice(ROLES.length)), value);
    for (const { value } of store.range<Grant>(GRANTS)) this.#table.put(value);
    graph.onRemove((object) => this.#forget(object));
  }

  /** Whether the session's user holds a privilege ('System.Read') on an object of the graph. */
  holds(session: Session, object: ManagedObject, privilege: string): boolean {
    return this.privilegesOn(session, object).has(privilege);
  }

  /** Throws NotAuthenticated (no login) or NoPermission (names object and privilege). */
  check(session: Session, object: ManagedObject, privilege: string): void {
    if (!this.holds(session, object, privilege)) throw refusal(session, this.entityOf(object), privilege);
  }

  /** All that the session may do on an object: ask once and check many properties against it. */
  privilegesOn(session: Session, object: ManagedObject): PrivilegeSet {
    if (session.isAnonymous) return this.#privileges(ROLE_ANONYMOUS);
    const here = this.privilegesOf(session, this.entityOf(object));
    if (object.session !== session && !isOwnTask(session, object)) return here;
    return { has: (privilege) => IMPLIED_PRIVILEGES.includes(privilege) || here.has(privilege) };
  }

  /**
   * As privilegesOn, for asking about many objects in one moment: what is inherited is found out once a container. Not to be
   * kept: it does not notice changes.
   */
  momentary(session: Session): (object: ManagedObject) => PrivilegeSet {
    const inherited = new RefMap<readonly number[]>();
    const rolesBelow = (container: MoRef): readonly number[] => {
      let roles = inherited.get(container);
      if (!roles) inherited.set(container, (roles = this.#table.inheritedRolesOf(session, this.#chain(container))));
      return roles;
    };
    return (object) => {
      const entity = object.entity ?? object.ref;
      const parent = object.entity ? undefined : parentOf(object);
      if (!parent || session.isAnonymous || object.session === session || this.#table.has(entity))
        return this.privilegesOn(session, object);
      const pool = this.#poolOf(object);
      const roles = pool ? together(rolesBelow(parent), rolesBelow(pool)) : rolesBelow(parent);
      // Without any, what is below the entity counts.
      return roles.length === 0 ? this.privilegesOn(session, object) : this.#together(roles);
    };
  }

  /**
   * The roles that somebody has on an entity. What is set on the entity itself decides; otherwise it inherits from its parent,
   * and a VM from its folder and its resource pool together (vSphere Security, "Hierarchical Inheritance of Permissions").
   */
  #rolesOf(who: Who, entity: MoRef): readonly number[] {
    const own = this.#table.rolesOn(who, entity);
    if (own.length > 0) return own;
    const inherited = this.#table.inheritedRolesOf(who, this.#chain(entity).slice(1));
    const object = this.#graph.find(entity);
    const pool = object && this.#poolOf(object);
    return pool ? together(inherited, this.#table.inheritedRolesOf(who, this.#chain(pool))) : inherited;
  }

  /** Where a VM inherits from besides its folder; not looked at where it can add nothing: when permissions are on the root alone. */
  #poolOf(object: ManagedObject): MoRef | undefined {
    if (object.ref.type !== 'VirtualMachine') return undefined;
    if (this.#table.entityCount === 1 && this.#table.has(this.#rootFolder)) return undefined;
    return (object as unknown as ManagedObject<'VirtualMachine'>).get('resourcePool') as MoRef | undefined;
  }

  #together(roles: readonly number[]): PrivilegeSet {
    if (roles.includes(ROLE_ADMIN)) return EVERYTHING;
    const [first, ...more] = roles.map((role) => this.#privileges(role));
    return more.length === 0 && first ? first : { has: (id) => roles.some((role) => this.#privileges(role).has(id)) };
  }

  /** All that a user may do on an entity. */
  privilegesOf(who: Who, entity: MoRef): PrivilegeSet {
    const roles = this.#rolesOf(who, entity);
    // Whoever may see something below an entity sees that the entity exists: role View, which cannot be granted.
    if (roles.length === 0) return this.#hasGrantBelow(who, entity) ? this.#privileges(ROLE_VIEW) : NOTHING;
    return this.#together(roles);
  }

  /** The entity at which an object's privileges are checked. */
  entityOf(object: ManagedObject): MoRef {
    if (object.entity) return object.entity;
    if (schema.isSubtype(object.ref.type, 'ManagedEntity')) return object.ref;
    const subject = object.ref.type === 'Task' ? (object.getPath('info.entity') as MoRef | undefined) : undefined;
    return subject && this.#graph.find(subject) ? subject : this.#rootFolder;
  }

  /** Roles of a user on an entity, for ManagedEntity.effectiveRole. */
  effectiveRoles(who: Who, entity: MoRef): number[] {
    const roles = this.#rolesOf(who, entity);
    return roles.length === 0 && this.#hasGrantBelow(who, entity) ? [ROLE_VIEW] : [...roles];
  }

  listRoles(): Role[] {
    return [...this.#roles.values()];
  }

  /** Fault: NotFound. */
  role(roleId: number): Role {
    const role = this.#roles.get(roleId);
    if (!role) throw new MethodFault('NotFound');
    return role;
  }

  /** Faults: InvalidName, AlreadyExists, InvalidArgument. Returns the new role's id. */
  addRole(name: string, privileges: readonly string[]): Promise<number> {
    return this.#writing.run(async () => {
      this.#requireFreeName(name);
      const record = { name, privileges: withImplied(privileges) };
      const roleId = Math.max(10, ...this.#roles.keys()) + 1;
      await this.#store.batch([{ put: ROLES + roleId, value: record }]);
      this.#remember(roleId, record);
      this.#tell(undefined);
      return roleId;
    });
  }

  /** Faults: NotFound, InvalidName, AlreadyExists, InvalidArgument (a system role, an unknown privilege). */
  updateRole(roleId: number, name: string, privileges: readonly string[]): Promise<void> {
    return this.#writing.run(async () => {
      const role = this.#requireOwnRole(roleId);
      if (name !== role.name) this.#requireFreeName(name);
      const record = { name, privileges: withImplied(privileges) };
      await this.#store.batch([{ put: ROLES + roleId, value: record }]);
      this.#remember(roleId, record);
      this.#tell(undefined);
    });
  }

  /** Takes its permissions with it unless `failIfUsed`. Faults: NotFound, RemoveFailed, InvalidArgument. */
  removeRole(roleId: number, failIfUsed: boolean): Promise<void> {
    return this.#writing.run(async () => {
      this.#requireOwnRole(roleId);
      const used = this.#table.all().filter((grant) => grant.roleId === roleId);
      if (failIfUsed && used.length > 0) throw new MethodFault('RemoveFailed');
      await this.#store.batch([{ delete: ROLES + roleId }, ...used.map((grant) => ({ delete: grantKey(grant) }))]);
      this.#roles.delete(roleId);
      for (const grant of used) this.#table.delete(grant.entity, grant.principal, grant.isGroup);
      this.#tell(undefined);
      for (const { entity } of used) this.#tell(entity);
    });
  }

  /** Permissions set on an entity and, with `inherited`, those of its parents that reach it. */
  permissions(entity: MoRef, inherited = false): Grant[] {
    if (!inherited) return [...this.#table.on(entity)];
    const object = this.#graph.find(entity);
    const pool = object && this.#poolOf(object);
    const parents = new Map(
      [...this.#chain(entity).slice(1), ...(pool ? this.#chain(pool) : [])].map((parent) => [moRefKey(parent), parent]),
    );
    const above = [...parents.values()].flatMap((parent) =>
      this.#table.on(parent).filter(({ propagate }) => propagate),
    );
    return [...this.#table.on(entity), ...above];
  }

  /** Whether there is a permission on exactly this entity. */
  isSetOn(entity: MoRef): boolean {
    return this.#table.has(entity);
  }

  allPermissions(): Grant[] {
    return this.#table.all();
  }

  /** Sets permissions of an entity; with `replace` the entity keeps only these. Faults: NotFound, AuthMinimumAdminPermission. */
  grant(entity: MoRef, grants: readonly Omit<Grant, 'entity'>[], replace = false): Promise<void> {
    return this.#writing.run(async () => {
      const place = { type: entity.type, value: entity.value } as MoRef;
      for (const { roleId } of grants) {
        this.role(roleId);
        if (roleId === ROLE_VIEW || roleId === ROLE_ANONYMOUS)
          throw new MethodFault('InvalidArgument', { invalidProperty: 'roleId' });
      }
      const wanted = grants.map((grant): Grant => ({ ...grant, entity: place }));
      const isKept = (old: Grant) => wanted.some((grant) => grantKey(grant) === grantKey(old));
      const gone = replace ? this.#table.on(place).filter((old) => !isKept(old)) : [];
      this.#requireAdminLeft([...this.#table.all().filter((old) => !isKept(old) && !gone.includes(old)), ...wanted]);
      const puts = wanted.map((grant): Op => ({ put: grantKey(grant), value: grant }));
      await this.#store.batch([...gone.map((grant): Op => ({ delete: grantKey(grant) })), ...puts]);
      for (const { principal, isGroup } of gone) this.#table.delete(place, principal, isGroup);
      for (const grant of wanted) this.#table.put(grant);
      this.#tell(place);
    });
  }

  /** Faults: NotFound, AuthMinimumAdminPermission. */
  revoke(entity: MoRef, principal: string, isGroup: boolean): Promise<void> {
    return this.#writing.run(async () => {
      const gone = this.#table.on(entity).find((grant) => grant.principal === principal && grant.isGroup === isGroup);
      if (!gone) throw new MethodFault('NotFound');
      this.#requireAdminLeft(this.#table.all().filter((grant) => grant !== gone));
      await this.#store.batch([{ delete: grantKey(gone) }]);
      this.#table.delete(entity, principal, isGroup);
      this.#tell(gone.entity);
    });
  }

  /** Gives a user or group the Admin role on everything if nobody has it: the first start of a daemon. */
  async ensureAdmin(principal: string, isGroup = false): Promise<void> {
    if (this.#table.all().some((grant) => this.#isRootAdmin(grant))) return;
    await this.grantAdmin(principal, isGroup);
  }

  /** Gives a user or group the Admin role on everything. */
  async grantAdmin(principal: string, isGroup = false): Promise<void> {
    await this.grant(this.#rootFolder, [{ principal, isGroup, roleId: ROLE_ADMIN, propagate: true }]);
  }

  /** Hears of changed permissions of an entity, and of changed roles (`undefined`). */
  onChange(listener: (entity: MoRef | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #privileges(roleId: number): PrivilegeSet {
    const role = this.#roles.get(roleId);
    return role && role.privileges.size > 0 ? role.privileges : NOTHING;
  }

  /** The entity, its parent, … up to the root, under which everything is, also what is not in the tree (yet). */
  #chain(entity: MoRef): MoRef[] {
    const chain: MoRef[] = [entity];
    for (let parent = this.#parentOf(entity); parent && chain.length < MOST_LEVELS; parent = this.#parentOf(parent)) {
      chain.push(parent);
    }
    if (!sameRef(chain.at(-1), this.#rootFolder)) chain.push(this.#rootFolder);
    return chain;
  }

  #parentOf(entity: MoRef): MoRef | undefined {
    const object = this.#graph.find(entity);
    return object && parentOf(object);
  }

  #hasGrantBelow(who: Who, entity: MoRef): boolean {
    // An exception from what is inherited gives nothing to see.
    const isAccess = (roleId: number) => roleId !== ROLE_NO_ACCESS;
    return this.#table.entitiesOf(who, isAccess).some((place) => this.#isAbove(entity, place));
  }

  #isAbove(entity: MoRef, place: MoRef): boolean {
    return this.#graph.find(place) !== undefined && this.#chain(place).some((parent) => sameRef(parent, entity));
  }

  #isRootAdmin(grant: Grant): boolean {
    if (!grant.isGroup && this.#isService(grant.principal)) return false;
    return grant.roleId === ROLE_ADMIN && grant.propagate && sameRef(grant.entity, this.#rootFolder);
  }

  #requireAdminLeft(left: readonly Grant[]): void {
    const had = this.#table.all().some((grant) => this.#isRootAdmin(grant));
    if (had && !left.some((grant) => this.#isRootAdmin(grant))) throw new MethodFault('AuthMinimumAdminPermission');
  }

  #requireFreeName(name: string): void {
    if (name.trim() === '' || name.length > 80) throw new MethodFault('InvalidName', { name });
    if (this.listRoles().some((role) => role.name === name)) throw new MethodFault('AlreadyExists', { name });
  }

  #requireOwnRole(roleId: number): Role {
    const role = this.role(roleId);
    if (role.isSystem) throw new MethodFault('InvalidArgument', { invalidProperty: 'roleId' });
    return role;
  }

  #remember(roleId: number, { name, privileges }: RoleRecord): void {
    const role = { roleId, name, isSystem: false, label: name, summary: name, privileges: new Set(privileges) };
    this.#roles.set(roleId, role);
  }

  /** Permissions go with their entity. */
  /** Permissions on what is not in the graph go: it was removed by a daemon that was killed before they were. */
  async sweep(): Promise<void> {
    for (const grant of this.allPermissions().filter(({ entity }) => !this.#graph.find(entity))) {
      await this.#store.batch([{ delete: grantKey(grant) }]);
      this.#table.delete(grant.entity, grant.principal, grant.isGroup);
    }
  }

  #forget(object: ManagedObject): void {
    const gone = [...this.#table.on(object.ref)];
    if (gone.length === 0) return;
    for (const { entity, principal, isGroup } of gone) this.#table.delete(entity, principal, isGroup);
    // Nobody waits for it: should it fail, the grants name an entity that no longer exists and mean nothing.
    this.#store.batch(gone.map((grant) => ({ delete: grantKey(grant) }))).catch(() => undefined);
    // Who saw what was above it because of them may do so no longer.
    this.#tell(object.ref);
  }

  #tell(entity: MoRef | undefined): void {
    for (const listener of this.#listeners) listener(entity);
  }
}

/** Whoever has started a task sees how it ends, also when what it was about is gone by then. */
function isOwnTask({ userName }: Session, object: ManagedObject): boolean {
  return object.ref.type === 'Task' && object.getPath('info.reason.userName') === userName;
}

/** Roles of two inheritances; the same array when the other adds nothing. */
function together(one: readonly number[], other: readonly number[]): readonly number[] {
  const more = other.filter((role) => !one.includes(role));
  return more.length === 0 ? one : [...one, ...more];
}

function parentOf(object: ManagedObject): MoRef | undefined {
  return (
    object.parent ?? ((object as unknown as ManagedObject<'VirtualMachine'>).get('parentVApp') as MoRef | undefined)
  );
}

/** NotAuthenticated without a login, NoPermission with one; both say what is missing where. */
export function refusal(session: Session, place: ManagedObjectReference, privilege: string): MethodFault {
  const object = { type: place.type, value: place.value } as MoRef;
  if (session.isAnonymous)
    return new MethodFault('NotAuthenticated', { object, privilegeId: privilege }) as MethodFault;
  return new MethodFault('NoPermission', {
    object,
    privilegeId: privilege,
    missingPrivileges: [{ _typeName: 'NoPermissionEntityPrivileges', entity: object, privilegeIds: [privilege] }],
  }) as MethodFault;
}

function withImplied(privileges: readonly string[]): string[] {
  const unknown = privileges.find((privilege) => !PRIVILEGES.has(privilege));
  if (unknown !== undefined)
    throw new MethodFault('InvalidArgument', { invalidProperty: 'privIds' }, `There is no privilege ${unknown}.`);
  return [...new Set([...IMPLIED_PRIVILEGES, ...privileges])].sort();
}

function grantKey({ entity, principal, isGroup }: Grant): string {
  return `${GRANTS}${moRefKey(entity)}/${isGroup ? 'group' : 'user'}/${principal}`;
}
