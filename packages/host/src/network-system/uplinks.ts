// The uplinks of a standard switch and their teaming between vim25 and this host. Pure.
// Source: vSphere Web Services API, HostVirtualSwitchBridge, HostNicTeamingPolicy.
import {
  type HostNetworkPolicy,
  type HostNicTeamingPolicy,
  type HostVirtualSwitchBridge,
  isA,
  MethodFault,
  make,
} from '@vivarium/vim';
import type { PhysicalAdapter } from '../network/adapters/physical-adapter.ts';
import {
  type NetworkConfiguration,
  type NicTeaming,
  switchTeaming,
  TEAMING_POLICIES,
  type VirtualSwitch,
} from '../network/configuration.ts';

/** The adapters that the host has, as far as a change of its switches is about them. */
export type Adapters = readonly Pick<PhysicalAdapter, 'name' | 'obstacle'>[];

/** The names of the adapters; without a bridge a switch has none. Faults: NotSupported, InvalidArgument. */
export function readUplinks(bridge: HostVirtualSwitchBridge | undefined): string[] {
  if (!bridge) return [];
  if (isA('HostVirtualSwitchSimpleBridge', bridge)) return [bridge.nicDevice];
  if (!isA('HostVirtualSwitchBondBridge', bridge)) {
    throw new MethodFault('NotSupported', {}, 'A switch has its uplinks by a HostVirtualSwitchBondBridge.');
  }
  const { nicDevice, linkDiscoveryProtocolConfig: discovery } = bridge;
  if (new Set(nicDevice).size < nicDevice.length) {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.bridge.nicDevice' });
  }
  if (discovery && !['listen', 'none'].includes(discovery.operation)) {
    throw new MethodFault('NotSupported', {}, 'Switches do not tell of themselves by CDP or LLDP yet.');
  }
  return [...nicDevice];
}

/**
 * An uplink that comes is an adapter of the host, no other switch has it, and the machine can do without it.
 * Faults: NotFound, ResourceInUse.
 */
export function requireUplinks(
  { switches }: NetworkConfiguration,
  { name: own, uplinks: former = [] }: VirtualSwitch,
  uplinks: readonly string[],
  adapters: Adapters,
): void {
  for (const name of uplinks) {
    if (former.includes(name)) continue;
    const adapter = adapters.find((one) => one.name === name);
    if (!adapter) throw new MethodFault('NotFound', {}, `There is no physical NIC '${name}'.`);
    const holder = switches.find((other) => other.name !== own && other.uplinks?.includes(name));
    const why = holder ? `${name} is an uplink of the switch ${holder.name} already.` : adapter.obstacle;
    if (why !== undefined) throw new MethodFault('ResourceInUse', { type: 'PhysicalNic', name }, why);
  }
}

/** What a policy says of teaming. Faults: NotSupported. */
export function readTeaming(policy: HostNetworkPolicy | undefined): Partial<NicTeaming> {
  const { nicTeaming: teaming } = policy ?? {};
  if (!teaming) return {};
  refuseUnbuilt(teaming);
  const chosen = TEAMING_POLICIES.find((one) => one === teaming.policy);
  const { nicOrder: order } = teaming;
  return {
    ...(chosen ? { policy: chosen } : {}),
    ...(order ? { active: [...(order.activeNic ?? [])], standby: [...(order.standbyNic ?? [])] } : {}),
  };
}

/** Faults: InvalidArgument, for an order that names an adapter twice or one that is no uplink. */
export function requireOrder({ active = [], standby = [] }: Partial<NicTeaming>, uplinks: readonly string[]): void {
  const named = [...active, ...standby];
  const isRight = new Set(named).size === named.length && named.every((name) => uplinks.includes(name));
  if (!isRight) throw new MethodFault('InvalidArgument', { invalidProperty: 'policy.nicTeaming.nicOrder' });
}

/** A switch with these uplinks and this teaming. Uplinks that are new are active where no order says something else. */
export function withUplinks(
  former: VirtualSwitch,
  uplinks: readonly string[],
  given: Partial<NicTeaming>,
): VirtualSwitch {
  requireOrder(given, uplinks);
  // An empty order is none: clients send back that of a switch without uplinks. A port group may decide that it has none.
  const isOrder = (given.active?.length ?? 0) + (given.standby?.length ?? 0) > 0;
  const order = isOrder ? given : {};
  const was = switchTeaming(former);
  const isHere = (name: string) => uplinks.includes(name);
  const added = uplinks.filter((name) => !former.uplinks?.includes(name));
  const teaming: NicTeaming = {
    policy: given.policy ?? was.policy,
    active: order.active ?? [...was.active.filter(isHere), ...added],
    standby: order.standby ?? was.standby.filter(isHere),
  };
  const { uplinks: _uplinks, teaming: _teaming, ...rest } = former;
  const isUsual = teaming.policy === TEAMING_POLICIES[0] && teaming.active.join() === uplinks.join();
  return { ...rest, ...(uplinks.length > 0 ? { uplinks } : {}), ...(isUsual ? {} : { teaming }) };
}

/** A switch's bridge, as clients read it. */
export function bridgeOf({ uplinks = [] }: VirtualSwitch): HostVirtualSwitchBridge | undefined {
  if (uplinks.length === 0) return undefined;
  return make('HostVirtualSwitchBondBridge', {
    nicDevice: [...uplinks],
    beacon: make('HostVirtualSwitchBeaconConfig', { interval: 1 }),
    linkDiscoveryProtocolConfig: make('LinkDiscoveryProtocolConfig', { protocol: 'cdp', operation: 'listen' }),
  });
}

/** All of it, as on a switch. */
export function fullTeaming(teaming: NicTeaming): HostNicTeamingPolicy {
  return make('HostNicTeamingPolicy', {
    ...ownTeaming(teaming),
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
  });
}

/** What a port group decides itself. */
export function ownTeaming({ policy, active, standby }: Partial<NicTeaming>): HostNicTeamingPolicy {
  const isOrder = active !== undefined || standby !== undefined;
  return make('HostNicTeamingPolicy', {
    ...(policy === undefined ? {} : { policy }),
    ...(isOrder
      ? { nicOrder: make('HostNicOrderPolicy', { activeNic: [...(active ?? [])], standbyNic: [...(standby ?? [])] }) }
      : {}),
  });
}

function refuseUnbuilt({ policy, rollingOrder, failureCriteria }: HostNicTeamingPolicy): void {
  const asked = [
    [policy !== undefined && !TEAMING_POLICIES.some((one) => one === policy), `the teaming policy ${policy}`],
    [rollingOrder, 'failover without failback'],
    [failureCriteria?.checkBeacon, 'beacon probing'],
  ] as const;
  const found = asked.find(([is]) => is);
  if (found) throw new MethodFault('NotSupported', {}, `Of NIC teaming not built yet: ${found[1]}.`);
}
