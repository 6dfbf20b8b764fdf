// Who users are. Daemons may bring their own (Active Directory, LDAP); LocalAccounts is the one that every daemon has.

export interface Principal {
  readonly userName: string;
  readonly fullName: string;
  /** Names of the groups that the user is a member of. */
  readonly groups: readonly string[];
}

export interface UserDirectory {
  /** The user when the password is right, undefined otherwise. Takes as long for unknown users as for known ones. */
  verify(userName: string, password: string): Promise<Principal | undefined>;
  find(userName: string): Principal | undefined;
  findGroup(groupName: string): GroupInfo | undefined;
  listUsers(): readonly Principal[];
  listGroups(): readonly GroupInfo[];
}

export interface GroupInfo {
  readonly groupName: string;
  readonly description: string;
  readonly members: readonly string[];
}
