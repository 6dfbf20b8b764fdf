// The switch's policies between vim25 and this host. Only the security policy is a choice here; the rest is shown as what it
// is: no uplinks to team, no shaping. Pure.
import { type HostNetworkPolicy, MethodFault, make } from '@vivarium/vim';
import type { SecurityPolicy } from '../network/configuration.ts';

/** Fields of a security policy; a port group's or an update's may be missing. */
export function readSecurity(policy: HostNetworkPolicy | undefined): Partial<SecurityPolicy> {
  refuseUnbuilt(policy);
  const { allowPromiscuous, macChanges, forgedTransmits } = policy?.security ?? {};
  return {
    ...(allowPromiscuous === undefined ? {} : { allowPromiscuous }),
    ...(macChanges === undefined ? {} : { macChanges }),
    ...(forgedTransmits === undefined ? {} : { forgedTransmits }),
  };
}

/** A policy that decides everything: a switch's, or a port group's computed one. */
export function fullPolicy(security: SecurityPolicy): HostNetworkPolicy {
  return make('HostNetworkPolicy', {
    security: make('HostNetworkSecurityPolicy', { ...security }),
    nicTeaming: make('HostNicTeamingPolicy', {
      policy: ONLY_TEAMING,
      reversePolicy: true,
      notifySwitches: true,
      rollingOrder: false,
      failureCriteria: make('HostNicFailureCriteria', {
        checkSpeed: 'minimum',
        speed: 10,
        checkDuplex: false,
        fullDuplex: false,
        checkErrorPercent: false,
        percentage: 0,
        checkBeacon: false,
      }),
      nicOrder: make('HostNicOrderPolicy', { activeNic: [], standbyNic: [] }),
    }),
    shapingPolicy: make('HostNetworkTrafficShapingPolicy', { enabled: false }),
  });
}

/** A port group's own policy: what it does not set is its switch's. */
export function ownPolicy(security: Partial<SecurityPolicy>): HostNetworkPolicy {
  return make('HostNetworkPolicy', {
    security: make('HostNetworkSecurityPolicy', { ...security }),
    nicTeaming: make('HostNicTeamingPolicy', {}),
    shapingPolicy: make('HostNetworkTrafficShapingPolicy', {}),
  });
}

/** "Route based on originating virtual port", the default of ESXi. */
const ONLY_TEAMING = 'loadbalance_srcid';

function refuseUnbuilt(policy: HostNetworkPolicy | undefined): void {
  if (policy?.shapingPolicy?.enabled)
    throw new MethodFault('NotSupported', {}, 'Traffic shaping is not supported yet.');
  const { nicOrder, policy: teaming = ONLY_TEAMING } = policy?.nicTeaming ?? {};
  const nics = [...(nicOrder?.activeNic ?? []), ...(nicOrder?.standbyNic ?? [])];
  if (nics.length > 0 || teaming !== ONLY_TEAMING) {
    throw new MethodFault('NotSupported', {}, 'Uplinks and NIC teaming are not supported yet.');
  }
}
