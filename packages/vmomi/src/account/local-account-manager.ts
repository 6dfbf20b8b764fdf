// The managed objects HostLocalAccountManager and UserDirectory over the daemon's own accounts.
import { MethodFault, type MoRef, make } from '@vivarium/vim';
import type { Service } from '../service.ts';
import type { UserDirectory } from './user-directory.ts';

/** RetrieveUserGroups answers at most this many. */
const MOST_RESULTS = 5000;

export function addLocalAccountManager(service: Service, ref: MoRef<'HostLocalAccountManager'>): void {
  const { events, accounts } = service;
  service.graph.add<'HostLocalAccountManager'>(
    ref,
    {},
    {
      async CreateUser({ user: spec }, call) {
        if (spec.password === undefined) throw new MethodFault('InvalidArgument', { invalidProperty: 'user.password' });
        await accounts.addUser(spec.id, spec.password, spec.description);
        events.post({ _typeName: 'AccountCreatedEvent', spec: withoutPassword(spec), group: false }, call);
      },
      async UpdateUser({ user: spec }, call) {
        await accounts.updateUser(spec.id, spec);
        events.post({ _typeName: 'AccountUpdatedEvent', spec: withoutPassword(spec), group: false }, call);
      },
      async RemoveUser({ userName }, call) {
        if (userName === call.session.userName)
          throw new MethodFault('InvalidArgument', { invalidProperty: 'userName' });
        await accounts.removeUser(userName);
        events.post({ _typeName: 'AccountRemovedEvent', account: userName, group: false }, call);
      },
      async CreateGroup({ group: spec }, call) {
        await accounts.addGroup(spec.id, spec.description);
        events.post({ _typeName: 'AccountCreatedEvent', spec: withoutPassword(spec), group: true }, call);
      },
      async RemoveGroup({ groupName }, call) {
        await accounts.removeGroup(groupName);
        events.post({ _typeName: 'AccountRemovedEvent', account: groupName, group: true }, call);
      },
      async AssignUserToGroup({ user, group }, call) {
        await accounts.assign(user, group);
        events.post({ _typeName: 'UserAssignedToGroup', userLogin: user, group }, call);
      },
      async UnassignUserFromGroup({ user, group }, call) {
        await accounts.unassign(user, group);
        events.post({ _typeName: 'UserUnassignedFromGroup', userLogin: user, group }, call);
      },
      async ChangePassword({ user, oldPassword, newPassword }, call) {
        const origin = { ipAddress: call.remoteAddress, userAgent: call.userAgent ?? '', locale: 'en' };
        await service.sessions.verify(user, oldPassword, origin, call.signal);
        await accounts.updateUser(user, { password: newPassword });
        events.post({ _typeName: 'UserPasswordChanged', userLogin: user, userName: user }, call);
      },
    },
  );
}

export function addUserDirectory(service: Service, ref: MoRef<'UserDirectory'>): void {
  const { users } = service;
  const domains = users.domains ?? [];
  service.graph.add<'UserDirectory'>(
    ref,
    { domainList: [...domains] },
    {
      RetrieveUserGroups(query) {
        const domain = domainOf(query.domain, domains);
        const wanted = query.searchStr.toLowerCase();
        const qualified = (name: string) => (domain === undefined ? name : `${domain}\\${name}`);
        const matches = (name: string) => {
          const bare = name.slice(name.indexOf('\\') + 1).toLowerCase();
          return query.exactMatch ? bare === wanted || name.toLowerCase() === wanted : bare.includes(wanted);
        };
        const { belongsToGroup: group, belongsToUser: user } = query;
        const found = [
          ...(query.findUsers ? usersOf(users, group === undefined ? undefined : qualified(group)) : []),
          ...(query.findGroups && group === undefined
            ? groupsOf(users, user === undefined ? undefined : qualified(user))
            : []),
        ];
        const shown = found.filter(({ principal }) => matches(principal)).slice(0, MOST_RESULTS);
        if (domain === undefined) return shown;
        // Within a domain, vCenter answers the names without it.
        const prefix = `${domain}\\`.length;
        return shown.map((one) => ({ ...one, principal: one.principal.slice(prefix) }));
      },
    },
  );
}

/** The domain that a query names, as the directory writes it. Fault: NotFound. */
function domainOf(name: string | undefined, domains: readonly string[]): string | undefined {
  if (name === undefined || name === '') return undefined;
  const domain = domains.find((known) => known.toLowerCase() === name.toLowerCase());
  if (domain === undefined) throw new MethodFault('NotFound');
  return domain;
}

function usersOf(users: UserDirectory, group: string | undefined) {
  const members = group === undefined ? undefined : users.findGroup(group)?.members;
  if (group !== undefined && !members) throw new MethodFault('NotFound');
  return users
    .listUsers()
    .filter(({ userName }) => members?.includes(userName) ?? true)
    .map(({ userName, fullName }) => make('UserSearchResult', { principal: userName, fullName, group: false }));
}

function groupsOf(users: UserDirectory, user: string | undefined) {
  const member = user === undefined ? undefined : users.find(user)?.userName;
  if (user !== undefined && member === undefined) throw new MethodFault('NotFound');
  return users
    .listGroups()
    .filter(({ members }) => member === undefined || members.includes(member))
    .map(({ groupName, description }) =>
      make('UserSearchResult', { principal: groupName, fullName: description, group: true }),
    );
}

/** What an event may show. */
function withoutPassword({ id, description }: { id: string; description?: string }) {
  return make('HostAccountSpec', { id, description });
}
