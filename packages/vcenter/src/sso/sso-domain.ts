// The embedded Single Sign-On domain: its users, its groups, its rules. Kept in the store; passwords as hashes.
// Knows nothing of permissions and sessions: what follows from a removed user is the business of join-domain.ts.
import { type Clock, Mutex, type Random } from '@vivarium/base';
import type { Op, Store } from '@vivarium/store';
import { MethodFault } from '@vivarium/vim';
import {
  type GroupInfo,
  hashPassword,
  type LockOutPolicy,
  PasswordCheck,
  type Principal,
  type UserDirectory,
  verifyPassword,
} from '@vivarium/vmomi';
import {
  brokenRule,
  DEFAULT_PASSWORD_POLICY,
  generatePassword,
  isCount,
  isPossible,
  type PasswordPolicy,
} from './password-policy.ts';
import { bareName, isPrincipalName, qualifiedName } from './principal-name.ts';

export interface SsoUserDetails {
  readonly firstName?: string;
  readonly lastName?: string;
  readonly email?: string;
  readonly description?: string;
}

export interface SsoUser extends Required<SsoUserDetails> {
  /** As it was written when the user was made; 'Administrator'. */
  readonly name: string;
  readonly isDisabled: boolean;
  readonly passwordChangedMs: number;
}

interface UserRecord extends SsoUser {
  readonly passwordHash: string;
  /** Newest first, without the current one. */
  readonly formerHashes: readonly string[];
}

interface GroupRecord {
  readonly name: string;
  readonly description: string;
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

/** A user or group of the domain, or what is left of one: it is gone, or may not log in any more. */
export interface LostPrincipal {
  /** `DOMAIN\name`. */
  readonly principal: string;
  readonly isGroup: boolean;
  readonly why: 'removed' | 'disabled';
}

export const ADMINISTRATOR = 'Administrator';
export const ADMINISTRATORS = 'Administrators';
const EVERY_USER = 'Users';
const DAY_MS = 86_400_000;
const MOST_DETAIL_CHARACTERS = 1024;
/** As vCenter Single Sign-On: five failures within three minutes lock an account for five minutes. */
const DEFAULT_LOCK_OUT: LockOutPolicy = { failures: 5, withinSeconds: 180, unlockAfterSeconds: 300 };
const FIRST_GROUPS: readonly (readonly [name: string, description: string])[] = [
  [ADMINISTRATORS, 'May do everything, also administer this domain'],
  [EVERY_USER, 'Everybody in this domain'],
];

const USERS = 'sso/user/';
const GROUPS = 'sso/group/';
const PASSWORD_POLICY = 'sso/policy/password';
const LOCK_OUT_POLICY = 'sso/policy/lock-out';

export class SsoDomain implements UserDirectory {
  /** 'vivarium.local'. */
  readonly name: string;
  readonly domains: readonly string[];
  readonly #store: Store;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #passwords = new PasswordCheck();
  readonly #changes = new Mutex();
  readonly #listeners = new Set<(lost: LostPrincipal) => Promise<void>>();

  constructor(options: { store: Store; random: Random; clock: Clock; name?: string }) {
    this.#store = options.store;
    this.#random = options.random;
    this.#clock = options.clock;
    this.name = options.name ?? 'vivarium.local';
    this.domains = [this.name.toUpperCase()];
  }

  async verify(userName: string, password: string): Promise<Principal | undefined> {
    const hash = this.#findUser(userName)?.passwordHash;
    const isRight = await this.#passwords.isRight(password, hash);
    // Asked again: it may have been removed, disabled or given another password meanwhile.
    const user = isRight ? this.#findUser(userName) : undefined;
    if (!user || user.passwordHash !== hash || user.isDisabled || this.#isExpired(user)) return undefined;
    return this.#principal(user);
  }

  find(userName: string): Principal | undefined {
    const user = this.#findUser(userName);
    return user && this.#principal(user);
  }

  findGroup(groupName: string): GroupInfo | undefined {
    const group = this.#findGroup(groupName);
    return group && this.#groupInfo(group);
  }

  listUsers(): Principal[] {
    const groups = this.#allGroups();
    return this.#allUsers().map((user) => this.#principal(user, groups));
  }

  listGroups(): GroupInfo[] {
    return this.#allGroups().map((group) => this.#groupInfo(group));
  }

  /** One name for all forms that a login takes, also of users that there are not. */
  accountName(userName: string): string {
    return qualifiedName((bareName(userName, this.name) ?? userName).toLowerCase(), this.name);
  }

  lockOutPolicy(): LockOutPolicy {
    return this.#store.get<LockOutPolicy>(LOCK_OUT_POLICY)?.value ?? DEFAULT_LOCK_OUT;
  }

  /** Fault: InvalidArgument. */
  async setLockOutPolicy(policy: LockOutPolicy): Promise<void> {
    const { failures, withinSeconds = 1, unlockAfterSeconds } = policy;
    if (![failures, withinSeconds, unlockAfterSeconds].every((number) => isCount(number, DAY_MS / 1000)))
      throw new MethodFault('InvalidArgument', { invalidProperty: 'policy' });
    await this.#store.batch([{ put: LOCK_OUT_POLICY, value: policy }]);
  }

  passwordPolicy(): PasswordPolicy {
    return { ...DEFAULT_PASSWORD_POLICY, ...this.#store.get<PasswordPolicy>(PASSWORD_POLICY)?.value };
  }

  /** Passwords that are set from now on have to obey it. Fault: InvalidArgument for one that no password could obey. */
  async setPasswordPolicy(policy: PasswordPolicy): Promise<void> {
    if (!isPossible(policy)) throw new MethodFault('InvalidArgument', { invalidProperty: 'policy' });
    await this.#store.batch([{ put: PASSWORD_POLICY, value: policy }]);
  }

  /**
   * At the first start makes the groups and the user Administrator, and nothing ever after. `keepPassword` has to keep
   * the password where the owner of the machine finds it, durably: only then the user is made. Default password: a new
   * random one.
   */
  async ensureAdministrator(
    keepPassword: (credentials: { userName: string; password: string }) => Promise<void>,
    password = generatePassword(this.passwordPolicy(), this.#random),
  ): Promise<void> {
    await this.#changes.run(async () => {
      if (this.#findUser(ADMINISTRATOR)) return;
      await keepPassword({ userName: `${ADMINISTRATOR}@${this.name}`, password });
      const user = await this.#newUser(ADMINISTRATOR, password, { lastName: this.name });
      const groups = FIRST_GROUPS.map(([name, description]) => ({
        name,
        description,
        users: [ADMINISTRATOR],
        groups: [],
      }));
      await this.#store.batch([putUser(user), ...groups.map(putGroup)]);
    });
  }

  findUser(userName: string): SsoUser | undefined {
    const user = this.#findUser(userName);
    return user && details(user);
  }

  /** Fault: UserNotFound. */
  user(userName: string): SsoUser {
    return details(this.#requireUser(userName));
  }

  /** Fault: UserNotFound. */
  group(groupName: string): GroupInfo {
    return this.#groupInfo(this.#requireGroup(groupName));
  }

  /** Faults: AlreadyExists, InvalidArgument (userName, password, a detail that is too long). */
  async addUser(userName: string, password: string, about: SsoUserDetails = {}): Promise<void> {
    await this.#changes.run(async () => {
      const name = this.#freeName(userName, 'userName');
      this.#requireGoodPassword(password);
      const user = await this.#newUser(name, password, about);
      const everyone = this.#findGroup(EVERY_USER);
      const joined = everyone ? [putGroup({ ...everyone, users: [...everyone.users, name] })] : [];
      await this.#store.batch([putUser(user), ...joined]);
    });
  }

  /** Leaves out what is undefined. Faults: UserNotFound, InvalidArgument. */
  async updateUser(userName: string, about: SsoUserDetails): Promise<void> {
    await this.#changes.run(async () => {
      const user = this.#requireUser(userName);
      await this.#store.batch([putUser({ ...user, ...checkedDetails(about) })]);
    });
  }

  /** A disabled user cannot log in. Faults: UserNotFound, InvalidArgument for Administrator. */
  async setDisabled(userName: string, isDisabled: boolean): Promise<void> {
    await this.#changes.run(async () => {
      const user = this.#requireUser(userName);
      if (isDisabled) requireOrdinary(user.name);
      await this.#store.batch([putUser({ ...user, isDisabled })]);
      if (isDisabled) await this.#lose(user.name, false, 'disabled');
    });
  }

  /** Faults: UserNotFound, InvalidArgument when the policy does not allow the password. */
  async setPassword(userName: string, password: string): Promise<void> {
    await this.#changes.run(async () => {
      const user = this.#requireUser(userName);
      this.#requireGoodPassword(password);
      const kept = this.passwordPolicy().prohibitedPreviousPasswordsCount;
      const former = [user.passwordHash, ...user.formerHashes].slice(0, kept);
      for (const hash of former) {
        if (await verifyPassword(password, hash)) throw badPassword(`it is one of the last ${kept}`);
      }
      const passwordHash = await hashPassword(password, this.#random);
      const passwordChangedMs = this.#clock.now();
      await this.#store.batch([putUser({ ...user, passwordHash, passwordChangedMs, formerHashes: former })]);
    });
  }

  /** Faults: UserNotFound, InvalidArgument for Administrator. */
  async removeUser(userName: string): Promise<void> {
    await this.#changes.run(async () => {
      const { name } = this.#requireUser(userName);
      requireOrdinary(name);
      const left = this.#allGroups().filter(({ users }) => users.includes(name));
      const without = left.map((group) => putGroup({ ...group, users: group.users.filter((one) => one !== name) }));
      await this.#store.batch([{ delete: userKey(name) }, ...without]);
      await this.#lose(name, false, 'removed');
    });
  }

  /** Faults: AlreadyExists, InvalidArgument. */
  async addGroup(groupName: string, description = ''): Promise<void> {
    await this.#changes.run(async () => {
      const name = this.#freeName(groupName, 'groupName');
      requireShort(description, 'description');
      await this.#store.batch([putGroup({ name, description, users: [], groups: [] })]);
    });
  }

  /** Faults: UserNotFound, InvalidArgument. */
  async updateGroup(groupName: string, description: string): Promise<void> {
    await this.#changes.run(async () => {
      requireShort(description, 'description');
      await this.#store.batch([putGroup({ ...this.#requireGroup(groupName), description })]);
    });
  }

  /** Faults: UserNotFound, InvalidArgument for a group that the domain came with. */
  async removeGroup(groupName: string): Promise<void> {
    await this.#changes.run(async () => {
      const { name } = this.#requireGroup(groupName);
      requireOrdinary(name);
      const left = this.#allGroups().filter(({ groups }) => groups.includes(name));
      const without = left.map((group) => putGroup({ ...group, groups: group.groups.filter((one) => one !== name) }));
      await this.#store.batch([{ delete: groupKey(name) }, ...without]);
      await this.#lose(name, true, 'removed');
    });
  }

  /** A member is a user or a group. Faults: UserNotFound, AlreadyExists, InvalidArgument for a group inside itself. */
  async addMember(groupName: string, member: string): Promise<void> {
    await this.#changes.run(async () => {
      const group = this.#requireGroup(groupName);
      const user = this.#findUser(member);
      if (user) {
        if (group.users.includes(user.name)) throw new MethodFault('AlreadyExists', { name: user.name });
        return this.#store.batch([putGroup({ ...group, users: [...group.users, user.name] })]);
      }
      const inner = this.#requireGroup(member);
      if (group.groups.includes(inner.name)) throw new MethodFault('AlreadyExists', { name: inner.name });
      if (this.#groupsAround([group.name]).has(inner.name))
        throw new MethodFault('InvalidArgument', { invalidProperty: 'member' });
      return this.#store.batch([putGroup({ ...group, groups: [...group.groups, inner.name] })]);
    });
  }

  /** Sessions that are open keep their groups. Faults: UserNotFound, InvalidArgument for Administrator in Administrators. */
  async removeMember(groupName: string, member: string): Promise<void> {
    await this.#changes.run(async () => {
      const group = this.#requireGroup(groupName);
      const name = this.#findUser(member)?.name ?? this.#findGroup(member)?.name;
      if (name === undefined || !(group.users.includes(name) || group.groups.includes(name))) throw notFound(member);
      if (group.name === ADMINISTRATORS && name === ADMINISTRATOR) requireOrdinary(name);
      const users = group.users.filter((one) => one !== name);
      const groups = group.groups.filter((one) => one !== name);
      await this.#store.batch([putGroup({ ...group, users, groups })]);
    });
  }

  /**
   * Hears, after it is on disk, of users and groups that are gone and of users who were disabled. What removes or disables
   * them waits for the listeners, which must not change the domain.
   */
  onLoss(listener: (lost: LostPrincipal) => Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #principal(user: UserRecord, groups = this.#allGroups()): Principal {
    const direct = groups.filter(({ users }) => users.includes(user.name)).map(({ name }) => name);
    return {
      userName: qualifiedName(user.name, this.name),
      fullName: `${user.firstName} ${user.lastName}`.trim(),
      groups: Array.from(this.#groupsAround(direct, groups), (name) => qualifiedName(name, this.name)),
    };
  }

  #groupInfo({ name, description, users, groups }: GroupRecord): GroupInfo {
    const members = [...users, ...groups].map((member) => qualifiedName(member, this.name));
    return { groupName: qualifiedName(name, this.name), description, members };
  }

  /** These groups and all that they are inside of. */
  #groupsAround(names: readonly string[], all = this.#allGroups()): Set<string> {
    const found = new Set(names);
    for (const inner of found) for (const { name, groups } of all) if (groups.includes(inner)) found.add(name);
    return found;
  }

  async #newUser(name: string, password: string, about: SsoUserDetails): Promise<UserRecord> {
    return {
      name,
      firstName: '',
      lastName: '',
      email: '',
      description: '',
      ...checkedDetails(about),
      isDisabled: false,
      passwordHash: await hashPassword(password, this.#random),
      passwordChangedMs: this.#clock.now(),
      formerHashes: [],
    };
  }

  #isExpired({ passwordChangedMs }: UserRecord): boolean {
    const days = this.passwordPolicy().passwordLifetimeDays;
    return days > 0 && this.#clock.now() - passwordChangedMs >= days * DAY_MS;
  }

  #allUsers(): UserRecord[] {
    return this.#store.range<UserRecord>(USERS).map(({ value }) => value);
  }

  #allGroups(): GroupRecord[] {
    return this.#store.range<GroupRecord>(GROUPS).map(({ value }) => value);
  }

  #findUser(text: string): UserRecord | undefined {
    const name = bareName(text, this.name);
    return name === undefined ? undefined : this.#store.get<UserRecord>(userKey(name))?.value;
  }

  #findGroup(text: string): GroupRecord | undefined {
    const name = bareName(text, this.name);
    return name === undefined ? undefined : this.#store.get<GroupRecord>(groupKey(name))?.value;
  }

  #requireUser(userName: string): UserRecord {
    const user = this.#findUser(userName);
    if (!user) throw notFound(userName);
    return user;
  }

  #requireGroup(groupName: string): GroupRecord {
    const group = this.#findGroup(groupName);
    if (!group) throw notFound(groupName);
    return group;
  }

  /** Users and groups share their names, so that nobody mistakes one for the other in a permission. */
  #freeName(text: string, property: string): string {
    const name = bareName(text, this.name);
    if (name === undefined || !isPrincipalName(name))
      throw new MethodFault('InvalidArgument', { invalidProperty: property });
    if (this.#findUser(name) || this.#findGroup(name)) throw new MethodFault('AlreadyExists', { name });
    return name;
  }

  #requireGoodPassword(password: string): void {
    const broken = brokenRule(password, this.passwordPolicy());
    if (broken !== undefined) throw badPassword(broken);
  }

  async #lose(name: string, isGroup: boolean, why: LostPrincipal['why']): Promise<void> {
    const principal = qualifiedName(name, this.name);
    for (const listener of this.#listeners) await listener({ principal, isGroup, why });
  }
}

function userKey(name: string): string {
  return USERS + name.toLowerCase();
}

function groupKey(name: string): string {
  return GROUPS + name.toLowerCase();
}

function putUser(user: UserRecord): Op {
  return { put: userKey(user.name), value: user };
}

function putGroup(group: GroupRecord): Op {
  return { put: groupKey(group.name), value: group };
}

function details({ passwordHash: _hash, formerHashes: _former, ...user }: UserRecord): SsoUser {
  return user;
}

function checkedDetails(about: SsoUserDetails): SsoUserDetails {
  const given = Object.entries(about).filter(([, text]) => text !== undefined);
  for (const [property, text] of given) requireShort(String(text), property);
  return Object.fromEntries(given);
}

function requireShort(text: string, property: string): void {
  if (text.length > MOST_DETAIL_CHARACTERS) throw new MethodFault('InvalidArgument', { invalidProperty: property });
}

/** Without these nobody could administer the domain any more. */
function requireOrdinary(name: string): void {
  if (name === ADMINISTRATOR || FIRST_GROUPS.some(([group]) => group === name))
    throw new MethodFault('InvalidArgument', { invalidProperty: 'name' }, `${name} has to stay.`);
}

function notFound(principal: string): MethodFault<'UserNotFound'> {
  return new MethodFault('UserNotFound', { principal, unresolved: false });
}

function badPassword(rule: string): MethodFault<'InvalidArgument'> {
  return new MethodFault('InvalidArgument', { invalidProperty: 'password' }, `The password is not good: ${rule}.`);
}
