// The embedded Single Sign-On domain: its users, its groups, its rules. Kept in the store; passwords as hashes.
// Knows nothing of permissions and sessions: what follows from a removed user is the business of join-domain.ts.
import { type Clock, Mutex, type Random } from '@vivarium/base';
import type { Store } from '@vivarium/store';
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
import {
  details,
  groupKey,
  notFound,
  putGroup,
  putUser,
  SsoRecords,
  type SsoUser,
  type SsoUserDetails,
  type UserRecord,
  userKey,
} from './sso-records.ts';

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

const PASSWORD_POLICY = 'sso/policy/password';
const LOCK_OUT_POLICY = 'sso/policy/lock-out';

export class SsoDomain implements UserDirectory {
  /** 'vivarium.local'. */
  readonly name: string;
  readonly domains: readonly string[];
  readonly #store: Store;
  readonly #records: SsoRecords;
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
    this.#records = new SsoRecords(this.#store, this.name);
  }

  async verify(userName: string, password: string): Promise<Principal | undefined> {
    const hash = this.#records.findUser(userName)?.passwordHash;
    const isRight = await this.#passwords.isRight(password, hash);
    // Asked again: it may have been removed, disabled or given another password meanwhile.
    const user = isRight ? this.#records.findUser(userName) : undefined;
    if (!user || user.passwordHash !== hash || user.isDisabled || this.#isExpired(user)) return undefined;
    return this.#records.principal(user);
  }

  find(userName: string): Principal | undefined {
    const user = this.#records.findUser(userName);
    return user && this.#records.principal(user);
  }

  findGroup(groupName: string): GroupInfo | undefined {
    const group = this.#records.findGroup(groupName);
    return group && this.#records.groupInfo(group);
  }

  listUsers(): Principal[] {
    const groups = this.#records.allGroups();
    return this.#records.allUsers().map((user) => this.#records.principal(user, groups));
  }

  listGroups(): GroupInfo[] {
    return this.#records.allGroups().map((group) => this.#records.groupInfo(group));
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
      if (this.#records.findUser(ADMINISTRATOR)) return;
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
    const user = this.#records.findUser(userName);
    return user && details(user);
  }

  /** Fault: UserNotFound. */
  user(userName: string): SsoUser {
    return details(this.#records.requireUser(userName));
  }

  /** Fault: UserNotFound. */
  group(groupName: string): GroupInfo {
    return this.#records.groupInfo(this.#records.requireGroup(groupName));
  }

  /** Faults: AlreadyExists, InvalidArgument (userName, password, a detail that is too long). */
  async addUser(userName: string, password: string, about: SsoUserDetails = {}): Promise<void> {
    await this.#changes.run(async () => {
      const name = this.#freeName(userName, 'userName');
      this.#requireGoodPassword(password);
      const user = await this.#newUser(name, password, about);
      const everyone = this.#records.findGroup(EVERY_USER);
      const joined = everyone ? [putGroup({ ...everyone, users: [...everyone.users, name] })] : [];
      await this.#store.batch([putUser(user), ...joined]);
    });
  }

  /**
   * All of it or nothing; leaves out what is undefined. A disabled user cannot log in. Faults: UserNotFound, InvalidArgument, also
   * for disabling Administrator.
   */
  async updateUser(userName: string, about: SsoUserDetails, isDisabled?: boolean): Promise<void> {
    await this.#changes.run(async () => {
      const user = this.#records.requireUser(userName);
      const changes = checkedDetails(about);
      if (isDisabled) requireOrdinary(user.name);
      await this.#store.batch([putUser({ ...user, ...changes, isDisabled: isDisabled ?? user.isDisabled })]);
      if (isDisabled) await this.#lose(user.name, false, 'disabled');
    });
  }

  /** Faults: UserNotFound, InvalidArgument when the policy does not allow the password. */
  async setPassword(userName: string, password: string): Promise<void> {
    await this.#changes.run(async () => {
      const user = this.#records.requireUser(userName);
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
      const { name } = this.#records.requireUser(userName);
      requireOrdinary(name);
      const left = this.#records.allGroups().filter(({ users }) => users.includes(name));
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
      await this.#store.batch([putGroup({ ...this.#records.requireGroup(groupName), description })]);
    });
  }

  /** Faults: UserNotFound, InvalidArgument for a group that the domain came with. */
  async removeGroup(groupName: string): Promise<void> {
    await this.#changes.run(async () => {
      const { name } = this.#records.requireGroup(groupName);
      requireOrdinary(name);
      const left = this.#records.allGroups().filter(({ groups }) => groups.includes(name));
      const without = left.map((group) => putGroup({ ...group, groups: group.groups.filter((one) => one !== name) }));
      await this.#store.batch([{ delete: groupKey(name) }, ...without]);
      await this.#lose(name, true, 'removed');
    });
  }

  /** A member is a user or a group. Faults: UserNotFound, AlreadyExists, InvalidArgument for a group inside itself. */
  async addMember(groupName: string, member: string): Promise<void> {
    await this.#changes.run(async () => {
      const group = this.#records.requireGroup(groupName);
      const user = this.#records.findUser(member);
      if (user) {
        if (group.users.includes(user.name)) throw new MethodFault('AlreadyExists', { name: user.name });
        return this.#store.batch([putGroup({ ...group, users: [...group.users, user.name] })]);
      }
      const inner = this.#records.requireGroup(member);
      if (group.groups.includes(inner.name)) throw new MethodFault('AlreadyExists', { name: inner.name });
      if (this.#records.groupsAround([group.name]).has(inner.name))
        throw new MethodFault('InvalidArgument', { invalidProperty: 'member' });
      return this.#store.batch([putGroup({ ...group, groups: [...group.groups, inner.name] })]);
    });
  }

  /** Sessions that are open keep their groups. Faults: UserNotFound, InvalidArgument for Administrator in Administrators. */
  async removeMember(groupName: string, member: string): Promise<void> {
    await this.#changes.run(async () => {
      const group = this.#records.requireGroup(groupName);
      const name = this.#records.findUser(member)?.name ?? this.#records.findGroup(member)?.name;
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

  /** Users and groups share their names, so that nobody mistakes one for the other in a permission. */
  #freeName(text: string, property: string): string {
    const name = bareName(text, this.name);
    if (name === undefined || !isPrincipalName(name))
      throw new MethodFault('InvalidArgument', { invalidProperty: property });
    if (this.#records.findUser(name) || this.#records.findGroup(name)) throw new MethodFault('AlreadyExists', { name });
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

function badPassword(rule: string): MethodFault<'InvalidArgument'> {
  return new MethodFault('InvalidArgument', { invalidProperty: 'password' }, `The password is not good: ${rule}.`);
}
