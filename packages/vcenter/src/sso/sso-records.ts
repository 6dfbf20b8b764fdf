// How the users and groups of the domain are kept, and what is read off them: who is in which group.
import type { Op, Store } from '@vivarium/store';
import { MethodFault } from '@vivarium/vim';
import type { GroupInfo, Principal } from '@vivarium/vmomi';
import { bareName, qualifiedName } from './principal-name.ts';

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

export interface UserRecord extends SsoUser {
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

const USERS = 'sso/user/';
const GROUPS = 'sso/group/';

export class SsoRecords {
  readonly #store: Store;
  readonly #domain: string;

  constructor(store: Store, domain: string) {
    this.#store = store;
    this.#domain = domain;
  }

  allUsers(): UserRecord[] {
    return this.#store.range<UserRecord>(USERS).map(({ value }) => value);
  }

  allGroups(): GroupRecord[] {
    return this.#store.range<GroupRecord>(GROUPS).map(({ value }) => value);
  }

  findUser(text: string): UserRecord | undefined {
    const name = bareName(text, this.#domain);
    return name === undefined ? undefined : this.#store.get<UserRecord>(userKey(name))?.value;
  }

  findGroup(text: string): GroupRecord | undefined {
    const name = bareName(text, this.#domain);
    return name === undefined ? undefined : this.#store.get<GroupRecord>(groupKey(name))?.value;
  }

  requireUser(userName: string): UserRecord {
    const user = this.findUser(userName);
    if (!user) throw notFound(userName);
    return user;
  }

  requireGroup(groupName: string): GroupRecord {
    const group = this.findGroup(groupName);
    if (!group) throw notFound(groupName);
    return group;
  }

  principal(user: UserRecord, groups = this.allGroups()): Principal {
    const direct = groups.filter(({ users }) => users.includes(user.name)).map(({ name }) => name);
    return {
      userName: qualifiedName(user.name, this.#domain),
      fullName: `${user.firstName} ${user.lastName}`.trim(),
      groups: Array.from(this.groupsAround(direct, groups), (name) => qualifiedName(name, this.#domain)),
    };
  }

  groupInfo({ name, description, users, groups }: GroupRecord): GroupInfo {
    const members = [...users, ...groups].map((member) => qualifiedName(member, this.#domain));
    return { groupName: qualifiedName(name, this.#domain), description, members };
  }

  /** These groups and all that they are inside of. */
  groupsAround(names: readonly string[], all = this.allGroups()): Set<string> {
    const found = new Set(names);
    for (const inner of found) for (const { name, groups } of all) if (groups.includes(inner)) found.add(name);
    return found;
  }
}

export function userKey(name: string): string {
  return USERS + name.toLowerCase();
}

export function groupKey(name: string): string {
  return GROUPS + name.toLowerCase();
}

export function putUser(user: UserRecord): Op {
  return { put: userKey(user.name), value: user };
}

export function putGroup(group: GroupRecord): Op {
  return { put: groupKey(group.name), value: group };
}

export function details({ passwordHash: _hash, formerHashes: _former, ...user }: UserRecord): SsoUser {
  return user;
}

export function notFound(principal: string): MethodFault<'UserNotFound'> {
  return new MethodFault('UserNotFound', { principal, unresolved: false });
}
