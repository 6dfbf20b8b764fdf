// Who users are. Daemons may bring their own (Active Directory, LDAP); LocalAccounts is the one that every daemon has.

import type { LockOutPolicy } from '../session/lock-out.ts';

export interface Principal {
  /** The one name that permissions, sessions and events know the user by: 'root', 'VIVARIUM.LOCAL\\Administrator'. */
  readonly userName: string;
  readonly fullName: string;
  /** Names of the groups that the user is a member of. */
  readonly groups: readonly string[];
}

export interface UserDirectory {
  /** The domains that names may be qualified with, as UserDirectory.domainList shows them. A host's accounts have none. */
  readonly domains?: readonly string[];
  /** Its own rules for failed logins; default: the daemon's options. */
  lockOutPolicy?(): LockOutPolicy;
  /** The name under which failed logins are counted, however the user wrote it. Default: as written. */
  accountName?(userName: string): string;
  /** The user when the password is right, undefined otherwise. Takes as long for unknown users as for known ones. */
  verify(userName: string, password: string): Promise<Principal | undefined>;
  /** By any form of the name that a login takes. */
  find(userName: string): Principal | undefined;
  findGroup(groupName: string): GroupInfo | undefined;
  listUsers(): readonly Principal[];
  listGroups(): readonly GroupInfo[];
}

export interface GroupInfo {
  readonly groupName: string;
  readonly description: string;
  /** Users and groups, those that are members themselves. */
  readonly members: readonly string[];
}
