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
  service.graph.add<'UserDirectory'>(
    ref,
    { domainList: [] },
    {
      RetrieveUserGroups(query) {
        if (query.domain !== undefined && query.domain !== '') throw new MethodFault('NotFound');
        const wanted = query.searchStr.toLowerCase();
        const matches = (name: string) =>
          query.exactMatch ? name.toLowerCase() === wanted : name.toLowerCase().includes(wanted);
        const found = [
          ...(query.findUsers ? usersOf(users, query.belongsToGroup) : []),
          ...(query.findGroups && query.belongsToGroup === undefined ? groupsOf(users, query.belongsToUser) : []),
        ];
        return found.filter(({ principal }) => matches(principal)).slice(0, MOST_RESULTS);
      },
    },
  );
}

function usersOf(users: UserDirectory, group: string | undefined) {
  const members = group === undefined ? undefined : users.findGroup(group)?.members;
  if (group !== undefined && !members) throw new MethodFault('NotFound');
  return users
    .listUsers()
    .filter(({ userName }) => members?.includes(userName) ?? true)
    .map(({ userName, fullName }) => make('UserSearchResult', { principal: userName, fullName, group: false }));
}

function groupsOf(users: UserDirectory, member: string | undefined) {
  if (member !== undefined && !users.find(member)) throw new MethodFault('NotFound');
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
