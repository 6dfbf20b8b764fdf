// The physical NICs that a host brings into a distributed switch, each on an uplink port of the host's own. Pure.
// Source: vSphere Web Services API, DistributedVirtualSwitchHostMemberPnicSpec.
import { type DistributedVirtualSwitchHostMemberBacking, isA, MethodFault, type MoRef, make } from '@vivarium/vim';
import type { SwitchMember } from '../inventory/entity-records.ts';

type Pnics = SwitchMember['pnics'];

/** The keys of a member's uplink ports, one for each of the switch's uplinks. `portKeys`: of all members, in their order. */
export function uplinkPortKeys(portKeys: readonly number[], memberIndex: number, uplinks: number): string[] {
  return portKeys.slice(memberIndex * uplinks, (memberIndex + 1) * uplinks).map(String);
}

/**
 * The NICs at the places of their uplinks: where their ports are asked for, else where they are, else on the first that are free.
 * `keys`: of the uplink ports that are the member's. Faults: InvalidArgument.
 */
export function placePnics(
  backing: DistributedVirtualSwitchHostMemberBacking,
  former: Pnics = [],
  keys: readonly string[] = [],
): Pnics {
  if (!isA('DistributedVirtualSwitchHostMemberPnicBacking', backing)) throw invalid('spec.host.backing');
  const given = backing.pnicSpec ?? [];
  const places = new Map<number, string>();
  const put = (place: number, device: string) => {
    if (place < 0 || places.has(place)) throw invalid('spec.host.backing.pnicSpec.uplinkPortKey');
    places.set(place, device);
  };
  if (new Set(given.map(({ pnicDevice }) => pnicDevice)).size < given.length) {
    throw invalid('spec.host.backing.pnicSpec.pnicDevice');
  }
  for (const { pnicDevice, uplinkPortKey } of given) {
    if (uplinkPortKey) put(keys.indexOf(uplinkPortKey), pnicDevice);
  }
  const others = given.filter(({ uplinkPortKey }) => !uplinkPortKey).map(({ pnicDevice }) => pnicDevice);
  const stays = others.filter((device) => former.includes(device) && !places.has(former.indexOf(device)));
  for (const device of stays) put(former.indexOf(device), device);
  let next = 0;
  for (const device of others.filter((one) => !stays.includes(one))) {
    while (places.has(next)) next += 1;
    put(next, device);
  }
  return Array.from({ length: Math.max(-1, ...places.keys()) + 1 }, (_, place) => places.get(place) ?? '');
}

/** Fault: ResourceNotAvailable, for a member with a NIC where the switch has no uplink. */
export function requirePlaces({ pnics }: SwitchMember, uplinks: readonly string[], containerName: string): void {
  const left = pnics[uplinks.length];
  if (left === undefined) return;
  const where = { containerType: 'DistributedVirtualPortgroup', containerName, type: 'uplinkPort' };
  throw new MethodFault('ResourceNotAvailable', where, `the switch has ${uplinks.length} uplinks for each host`);
}

/** The NIC on each of the switch's uplinks, by the uplink's name. */
export function pnicByUplink({ pnics }: SwitchMember, uplinks: readonly string[]): Map<string, string> {
  return new Map(uplinks.flatMap((name, place) => (pnics[place] ? [[name, pnics[place]] as const] : [])));
}

/** As clients read it. `keys`: of the member's uplink ports, which are of `portgroup`. */
export function memberBacking(
  { pnics }: SwitchMember,
  keys: readonly string[],
  portgroup: MoRef<'DistributedVirtualPortgroup'> | undefined,
) {
  const pnicSpec = pnics.flatMap((pnicDevice, place) =>
    pnicDevice === ''
      ? []
      : [
          make('DistributedVirtualSwitchHostMemberPnicSpec', {
            pnicDevice,
            uplinkPortKey: keys[place],
            uplinkPortgroupKey: portgroup?.value,
          }),
        ],
  );
  return make('DistributedVirtualSwitchHostMemberPnicBacking', { pnicSpec });
}

function invalid(invalidProperty: string): MethodFault<'InvalidArgument'> {
  return new MethodFault('InvalidArgument', { invalidProperty });
}
