// Who may log in to a simulator: anybody, as with vcsim, or one account that was named. All are administrators.
import type { Principal, UserDirectory } from '@vivarium/vmomi';

const GROUP = 'Administrators';

export function simUsers(account: {
  readonly userName?: string | undefined;
  readonly password?: string | undefined;
}): UserDirectory {
  const { userName, password } = account;
  const principal = (name: string): Principal => ({ userName: name, fullName: name, groups: [GROUP] });
  return {
    async verify(name, given) {
      const isKnown = name !== '' && (userName === undefined || name === userName);
      return isKnown && given !== '' && (password === undefined || given === password) ? principal(name) : undefined;
    },
    find: (name) => (userName === undefined || name === userName ? principal(name) : undefined),
    findGroup: (name) => (name === GROUP ? { groupName: GROUP, description: '', members: [] } : undefined),
    listUsers: () => (userName === undefined ? [] : [principal(userName)]),
    listGroups: () => [{ groupName: GROUP, description: 'Administrators', members: [] }],
  };
}

export { GROUP as ADMINISTRATORS };
