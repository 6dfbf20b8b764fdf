// The daemon's own users and groups, kept in the store with hashed passwords.
import { Mutex, type Random } from '@vivarium/base';
import type { Op, Store } from '@vivarium/store';
import { MethodFault } from '@vivarium/vim';
import { hashPassword } from './password.ts';
import { PasswordCheck } from './password-check.ts';
import type { GroupInfo, Principal, UserDirectory } from './user-directory.ts';

interface UserRecord {
  readonly description: string;
  readonly passwordHash: string;
}

interface GroupRecord {
  readonly description: string;
  readonly members: readonly string[];
}

const USERS = 'account/user/';
const GROUPS = 'account/group/';
/** As useradd(8) takes them, with room for user@domain. */
const NAME = /^[A-Za-z_][\w.@-]{0,31}\$?$/;
/** In place of a hash: no password is right. As in shadow(5). */
const NO_PASSWORD = '!';

export class LocalAccounts implements UserDirectory {
  readonly #store: Store;
  readonly #random: Random;
  readonly #passwords = new PasswordCheck();
  /** Users and groups are written whole: one change at a time, or one of two would be lost. */
  readonly #writing = new Mutex();

  constructor(store: Store, random: Random) {
    this.#store = store;
    this.#random = random;
  }

  async verify(userName: string, password: string): Promise<Principal | undefined> {
    const hash = this.#user(userName)?.passwordHash;
    const isRight = await this.#passwords.isRight(password, hash === NO_PASSWORD ? undefined : hash);
    return isRight ? this.find(userName) : undefined;
  }

  find(userName: string): Principal | undefined {
    const user = this.#user(userName);
    if (!user) return undefined;
    const groups = this.listGroups().filter(({ members }) => members.includes(userName));
    return { userName, fullName: user.description, groups: groups.map(({ groupName }) => groupName) };
  }

  findGroup(groupName: string): GroupInfo | undefined {
    const group = this.#store.get<GroupRecord>(GROUPS + groupName)?.value;
    return group && { groupName, ...group };
  }

  listUsers(): Principal[] {
    return this.#store.range(USERS).flatMap(({ key }) => this.find(key.slice(USERS.length)) ?? []);
  }

  listGroups(): GroupInfo[] {
    return this.#store
      .range<GroupRecord>(GROUPS)
      .map(({ key, value }) => ({ groupName: key.slice(GROUPS.length), ...value }));
  }

  /** Faults: AlreadyExists, InvalidArgument. */
  addUser(userName: string, password: string, description = ''): Promise<void> {
    return this.#writing.run(async () => {
      this.#requireFree(userName);
      const passwordHash = await hashPassword(requirePassword(password), this.#random);
      await this.#store.batch([{ put: USERS + userName, value: { description, passwordHash } }]);
    });
  }

  /**
   * An account of a service's, which never logs in by password: made, or turned into one. It can be neither changed nor
   * removed, and an administrator who is one is not counted when at least one has to be left.
   */
  ensureServiceUser(userName: string, description: string): Promise<void> {
    return this.#writing.run(async () => {
      if (this.isServiceUser(userName)) return;
      await this.#store.batch([{ put: USERS + userName, value: { description, passwordHash: NO_PASSWORD } }]);
    });
  }

  isServiceUser(userName: string): boolean {
    return this.#user(userName)?.passwordHash === NO_PASSWORD;
  }

  /** Leaves out what is undefined. Faults: UserNotFound, InvalidArgument, SecurityError (a service's). */
  updateUser(
    userName: string,
    change: { password?: string | undefined; description?: string | undefined },
  ): Promise<void> {
    return this.#writing.run(async () => {
      const user = this.#requireOrdinaryUser(userName);
      const passwordHash =
        change.password === undefined
          ? user.passwordHash
          : await hashPassword(requirePassword(change.password), this.#random);
      const description = change.description ?? user.description;
      await this.#store.batch([{ put: USERS + userName, value: { description, passwordHash } }]);
    });
  }

  /** Makes the user or gives it another password. */
  async setPassword(userName: string, password: string): Promise<void> {
    if (this.#user(userName)) await this.updateUser(userName, { password });
    else await this.addUser(userName, password);
  }

  /** Faults: UserNotFound, SecurityError (a service's). */
  removeUser(userName: string): Promise<void> {
    return this.#writing.run(async () => {
      this.#requireOrdinaryUser(userName);
      const left = this.listGroups().filter(({ members }) => members.includes(userName));
      await this.#store.batch([
        { delete: USERS + userName },
        ...left.map((group) =>
          groupOp(
            group,
            group.members.filter((member) => member !== userName),
          ),
        ),
      ]);
    });
  }

  /** Faults: AlreadyExists, InvalidArgument. */
  addGroup(groupName: string, description = ''): Promise<void> {
    return this.#writing.run(async () => {
      this.#requireFree(groupName);
      await this.#store.batch([{ put: GROUPS + groupName, value: { description, members: [] } }]);
    });
  }

  /** Faults: UserNotFound. */
  removeGroup(groupName: string): Promise<void> {
    return this.#writing.run(async () => {
      this.#requireGroup(groupName);
      await this.#store.batch([{ delete: GROUPS + groupName }]);
    });
  }

  /** Faults: UserNotFound, AlreadyExists. */
  assign(userName: string, groupName: string): Promise<void> {
    return this.#writing.run(async () => {
      this.#requireUser(userName);
      const group = this.#requireGroup(groupName);
      if (group.members.includes(userName)) throw new MethodFault('AlreadyExists', { name: userName });
      await this.#store.batch([groupOp(group, [...group.members, userName])]);
    });
  }

  /** Faults: UserNotFound. */
  unassign(userName: string, groupName: string): Promise<void> {
    return this.#writing.run(async () => {
      const group = this.#requireGroup(groupName);
      if (!group.members.includes(userName)) throw userNotFound(userName);
      await this.#store.batch([
        groupOp(
          group,
          group.members.filter((member) => member !== userName),
        ),
      ]);
    });
  }

  #user(userName: string): UserRecord | undefined {
    return this.#store.get<UserRecord>(USERS + userName)?.value;
  }

  #requireUser(userName: string): UserRecord {
    const user = this.#user(userName);
    if (!user) throw userNotFound(userName);
    return user;
  }

  #requireOrdinaryUser(userName: string): UserRecord {
    const user = this.#requireUser(userName);
    if (this.isServiceUser(userName))
      throw new MethodFault('SecurityError', {}, `${userName} is the account of a service and cannot be changed.`);
    return user;
  }

  #requireGroup(groupName: string): GroupInfo {
    const group = this.findGroup(groupName);
    if (!group) throw userNotFound(groupName);
    return group;
  }

  #requireFree(name: string): void {
    if (!NAME.test(name)) throw new MethodFault('InvalidArgument', { invalidProperty: 'id' });
    if (this.#user(name) || this.findGroup(name)) throw new MethodFault('AlreadyExists', { name });
  }
}

function groupOp({ groupName, description }: GroupInfo, members: readonly string[]): Op {
  return { put: GROUPS + groupName, value: { description, members } };
}

function userNotFound(principal: string): MethodFault<'UserNotFound'> {
  return new MethodFault('UserNotFound', { principal, unresolved: false });
}

function requirePassword(password: string): string {
  if (password.length === 0 || password.length > 1024)
    throw new MethodFault('InvalidArgument', { invalidProperty: 'password' });
  return password;
}
