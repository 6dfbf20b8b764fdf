// Groups of VMs and of hosts (ClusterGroupInfo): a name is their key, and both kinds share the names.

import {
  type ClusterGroupInfo,
  type ClusterGroupSpec,
  isA,
  type ManagedObjectReference,
  MethodFault,
  moRefKey,
} from '@vivarium/vim';
import { applyArrayUpdates, invalidArgument } from './array-update.ts';
import type { ClusterContext } from './cluster-context.ts';

const PATH = 'groupSpec';

/** DuplicateName for a second group of a name; InvalidArgument for members from elsewhere, or an edit to the other kind. */
export function updateGroups(
  groups: readonly ClusterGroupInfo[],
  specs: readonly ClusterGroupSpec[],
  context: ClusterContext,
): ClusterGroupInfo[] {
  return applyArrayUpdates(groups, specs, {
    path: PATH,
    keyOf: ({ name }) => name,
    parseKey: (key) => (typeof key === 'string' ? key : undefined),
    add: (info) => {
      if (info.name === '') throw invalidArgument(`${PATH}.info.name`);
      return { ...checked(info, context), userCreated: info.userCreated ?? true, uniqueID: context.newUuid() };
    },
    edit: (old, info) => {
      if (old._typeName !== info._typeName) throw invalidArgument(`${PATH}.info`);
      return { ...old, ...checked(info, context) };
    },
    duplicate: ({ name }) => new MethodFault('DuplicateName', { name, object: context.cluster }) as MethodFault,
  });
}

function checked(info: ClusterGroupInfo, context: ClusterContext): ClusterGroupInfo {
  if (isA('ClusterVmGroup', info)) return { ...info, vm: members(info.vm, 'vm', context) } as ClusterGroupInfo;
  if (isA('ClusterHostGroup', info)) return { ...info, host: members(info.host, 'host', context) } as ClusterGroupInfo;
  throw invalidArgument(`${PATH}.info`);
}

/** Each member once. */
export function distinct<T extends ManagedObjectReference>(refs: readonly T[] | undefined): T[] {
  return [...new Map((refs ?? []).map((ref) => [moRefKey(ref), ref])).values()];
}

function members<T extends ManagedObjectReference>(
  refs: readonly T[] | undefined,
  property: string,
  context: ClusterContext,
): T[] {
  if (refs?.some((ref) => !context.isMember(ref))) throw invalidArgument(`${PATH}.info.${property}`);
  return distinct(refs);
}
