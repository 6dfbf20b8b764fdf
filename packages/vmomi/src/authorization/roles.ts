// Roles: named sets of privileges. The system ones are vSphere's, with its ids and names; others are kept in the store.
import { type AuthorizationRole, make } from '@vivarium/vim';
import { PRIVILEGES } from './privileges.ts';

export interface Role {
  readonly roleId: number;
  readonly name: string;
  readonly isSystem: boolean;
  readonly label: string;
  readonly summary: string;
  readonly privileges: ReadonlySet<string>;
}

export const ROLE_ADMIN = -1;
export const ROLE_READ_ONLY = -2;
export const ROLE_VIEW = -3;
export const ROLE_ANONYMOUS = -4;
export const ROLE_NO_ACCESS = -5;

/** Every role but NoAccess has these: whoever may do something may see it (vSphere Security, "System-defined privileges"). */
export const IMPLIED_PRIVILEGES: readonly string[] = ['System.Anonymous', 'System.Read', 'System.View'];

const system = (roleId: number, name: string, label: string, summary: string, privileges: Iterable<string>): Role => ({
  roleId,
  name,
  isSystem: true,
  label,
  summary,
  privileges: new Set(privileges),
});

export const SYSTEM_ROLES: readonly Role[] = [
  system(ROLE_NO_ACCESS, 'NoAccess', 'No access', 'Takes all access away; for exceptions from inherited roles', []),
  system(ROLE_ANONYMOUS, 'Anonymous', 'Anonymous', 'What may be seen without a login; cannot be granted', [
    'System.Anonymous',
  ]),
  system(ROLE_VIEW, 'View', 'View', 'Sees that objects exist; cannot be granted', ['System.Anonymous', 'System.View']),
  system(ROLE_READ_ONLY, 'ReadOnly', 'Read-only', 'Sees everything and changes nothing', IMPLIED_PRIVILEGES),
  system(ROLE_ADMIN, 'Admin', 'Administrator', 'May do everything', PRIVILEGES),
];

export function authorizationRole({ roleId, name, isSystem, label, summary, privileges }: Role): AuthorizationRole {
  return make('AuthorizationRole', {
    roleId,
    system: isSystem,
    name,
    info: make('Description', { label, summary }),
    privilege: [...privileges].sort(),
  });
}
