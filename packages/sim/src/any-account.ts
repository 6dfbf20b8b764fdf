// Who may log in to a simulator: anybody, as with vcsim, or one account that was named. All are administrators. Permissions may be given to
// any name, as with vcsim.
import type { CertificateLogin, Principal, UserDirectory } from '@vivarium/vmomi';

const GROUP = 'Administrators';

export function simUsers(account: {
  readonly userName?: string | undefined;
  readonly password?: string | undefined;
}): UserDirectory {
  const { userName, password } = account;
  const mayLogIn = (name: string) => name !== '' && (userName === undefined || name === userName);
  const principal = (name: string): Principal => ({
    userName: name,
    fullName: name,
    groups: mayLogIn(name) ? [GROUP] : [],
  });
  return {
    async verify(name, given) {
      return mayLogIn(name) && given !== '' && (password === undefined || given === password)
        ? principal(name)
        : undefined;
    },
    find: (name) => (name === '' ? undefined : principal(name)),
    findGroup: (name) => (name === '' ? undefined : { groupName: name, description: '', members: [] }),
    listUsers: () => (userName === undefined ? [] : [principal(userName)]),
    listGroups: () => [{ groupName: GROUP, description: 'Administrators', members: [] }],
  };
}

/** Extensions that are not registered: any by any certificate, as with vcsim, unless one account alone may log in. */
export function simExtensions({ userName }: { readonly userName?: string | undefined }): CertificateLogin {
  return (extensionKey) =>
    userName === undefined && extensionKey !== ''
      ? { userName: extensionKey, fullName: extensionKey, groups: [GROUP] }
      : undefined;
}

export { GROUP as ADMINISTRATORS };
