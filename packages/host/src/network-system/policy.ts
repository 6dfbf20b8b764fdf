// The switch's policies between vim25 and this host: security and teaming; there is no shaping. Pure.
import { type HostNetworkPolicy, MethodFault, make } from '@vivarium/vim';
import type { NicTeaming, SecurityPolicy } from '../network/configuration.ts';
import { fullTeaming, ownTeaming } from './uplinks.ts';

/** Fields of a security policy; a port group's or an update's may be missing. */
export function readSecurity(policy: HostNetworkPolicy | undefined): Partial<SecurityPolicy> {
  if (policy?.shapingPolicy?.enabled)
    throw new MethodFault('NotSupported', {}, 'Traffic shaping is not supported yet.');
  const { allowPromiscuous, macChanges, forgedTransmits } = policy?.security ?? {};
  return {
    ...(allowPromiscuous === undefined ? {} : { allowPromiscuous }),
    ...(macChanges === undefined ? {} : { macChanges }),
    ...(forgedTransmits === undefined ? {} : { forgedTransmits }),
  };
}

/** A policy that decides everything: a switch's, or a port group's computed one. */
export function fullPolicy(security: SecurityPolicy, teaming: NicTeaming): HostNetworkPolicy {
  return make('HostNetworkPolicy', {
    security: make('HostNetworkSecurityPolicy', { ...security }),
    nicTeaming: fullTeaming(teaming),
    shapingPolicy: make('HostNetworkTrafficShapingPolicy', { enabled: false }),
  });
}

/** A port group's own policy: what it does not set is its switch's. */
export function ownPolicy(security: Partial<SecurityPolicy>, teaming: Partial<NicTeaming> = {}): HostNetworkPolicy {
  return make('HostNetworkPolicy', {
    security: make('HostNetworkSecurityPolicy', { ...security }),
    nicTeaming: ownTeaming(teaming),
    shapingPolicy: make('HostNetworkTrafficShapingPolicy', {}),
  });
}
