// How a switch spreads its ports over its uplinks. Pure. Source: vSphere Web Services API, VmwareUplinkPortTeamingPolicy.
import { MethodFault, make, type VmwareUplinkPortTeamingPolicy } from '@vivarium/vim';

/** The policies that hosts carry out. */
export const TEAMING_POLICIES = ['loadbalance_srcid', 'failover_explicit'] as const;

/** What hosts are told of a team, with the names of the switch's uplinks or of a host's physical NICs. */
export interface Team {
  readonly policy: (typeof TEAMING_POLICIES)[number];
  readonly active: readonly string[];
  readonly standby: readonly string[];
}

/** Of a policy that inherits nothing any more. */
export function teamOf(teaming: VmwareUplinkPortTeamingPolicy | undefined): Team {
  const { activeUplinkPort = [], standbyUplinkPort = [] } = teaming?.uplinkPortOrder ?? {};
  const policy = TEAMING_POLICIES.find((one) => one === teaming?.policy?.value) ?? TEAMING_POLICIES[0];
  return { policy, active: activeUplinkPort, standby: standbyUplinkPort };
}

/** A new switch's: by originating port, over all of its uplinks. */
export function defaultTeaming(uplinks: readonly string[]): VmwareUplinkPortTeamingPolicy {
  const is = (value: boolean) => make('BoolPolicy', { inherited: false, value });
  const text = (value: string) => make('StringPolicy', { inherited: false, value });
  const number = (value: number) => make('IntPolicy', { inherited: false, value });
  return make('VmwareUplinkPortTeamingPolicy', {
    inherited: false,
    policy: text('loadbalance_srcid'),
    reversePolicy: is(true),
    notifySwitches: is(true),
    rollingOrder: is(false),
    failureCriteria: make('DVSFailureCriteria', {
      inherited: false,
      checkSpeed: text('minimum'),
      speed: number(10),
      checkDuplex: is(false),
      fullDuplex: is(false),
      checkErrorPercent: is(false),
      percentage: number(0),
      checkBeacon: is(false),
    }),
    uplinkPortOrder: uplinkOrder(uplinks),
  });
}

/**
 * `spec` over what was set before: what it leaves out stays, and so does an order that names no uplink.
 * Fault: NotSupported, for what hosts do not carry out.
 */
export function changeTeaming(
  former: VmwareUplinkPortTeamingPolicy | undefined,
  spec: VmwareUplinkPortTeamingPolicy | undefined,
): VmwareUplinkPortTeamingPolicy | undefined {
  if (!spec) return former;
  refuseUnbuilt(spec);
  const { uplinkPortOrder: order, ...rest } = spec;
  const isOrder = order?.inherited || order?.activeUplinkPort?.length || order?.standbyUplinkPort?.length;
  return { ...former, ...rest, ...(isOrder ? { uplinkPortOrder: order } : {}) };
}

/** The teaming of a switch whose uplinks have got other names. */
export function renameUplinks(
  teaming: VmwareUplinkPortTeamingPolicy,
  former: readonly string[],
  names: readonly string[],
): VmwareUplinkPortTeamingPolicy {
  const order = teaming.uplinkPortOrder;
  if (!order) return teaming;
  const renamed = (uplinks: readonly string[] = []) =>
    uplinks.flatMap((uplink) => names[former.indexOf(uplink)] ?? (names.includes(uplink) ? [uplink] : []));
  const standby = renamed(order.standbyUplinkPort);
  const added = names.slice(former.length).filter((name) => !standby.includes(name));
  const active = [...new Set([...renamed(order.activeUplinkPort), ...added])];
  return { ...teaming, uplinkPortOrder: uplinkOrder(active, standby) };
}

function uplinkOrder(active: readonly string[], standby: readonly string[] = []) {
  return make('VMwareUplinkPortOrderPolicy', {
    inherited: false,
    activeUplinkPort: [...active],
    standbyUplinkPort: [...standby],
  });
}

function refuseUnbuilt({ policy, rollingOrder, failureCriteria }: VmwareUplinkPortTeamingPolicy): void {
  const name = policy?.value;
  const asked = [
    [name !== undefined && !TEAMING_POLICIES.some((one) => one === name), `the teaming policy ${name}`],
    [rollingOrder?.value, 'failover without failback'],
    [failureCriteria?.checkBeacon?.value, 'beacon probing'],
  ] as const;
  const found = asked.find(([is]) => is);
  if (found) throw new MethodFault('NotSupported', {}, `${found[1]} is not built yet in distributed switches`);
}
