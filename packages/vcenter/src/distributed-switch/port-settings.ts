// The settings of ports: what a switch begins with, what a port group inherits, and what of it a host can carry out. Pure.
// Source: vSphere Web Services API, VMwareDVSPortSetting.
import {
  type DVPortSetting,
  type DVSMacManagementPolicy,
  type DVSSecurityPolicy,
  isA,
  MethodFault,
  make,
  type VMwareDVSPortSetting,
  type VmwareDistributedVirtualSwitchVlanSpec,
} from '@vivarium/vim';
import { changeTeaming, defaultTeaming, type Team, teamOf } from './teaming.ts';

/** What a host does for a port group. `vlanId` 4095 = all VLANs, tagged, as a standard switch says it. */
export interface HostSettings {
  readonly vlanId: number;
  readonly security: {
    readonly allowPromiscuous: boolean;
    readonly macChanges: boolean;
    readonly forgedTransmits: boolean;
  };
  readonly teaming: Team;
}

const SECURITY = ['allowPromiscuous', 'macChanges', 'forgedTransmits'] as const;
const POLICIES_OF_POLICIES = ['securityPolicy', 'uplinkTeamingPolicy'] as const;
const LAST_VLAN = 4094;
const ALL_VLANS = 4095;

/** A new switch's: no VLAN, nothing that deceives others, all of its uplinks. */
export function defaultSettings(uplinks: readonly string[]): VMwareDVSPortSetting {
  const no = make('BoolPolicy', { inherited: false, value: false });
  const securityPolicy = make('DVSSecurityPolicy', {
    inherited: false,
    allowPromiscuous: no,
    macChanges: no,
    forgedTransmits: no,
  });
  return make('VMwareDVSPortSetting', {
    blocked: no,
    vlan: make('VmwareDistributedVirtualSwitchVlanIdSpec', { inherited: false, vlanId: 0 }),
    securityPolicy,
    macManagementPolicy: macManagement(securityPolicy),
    ipfixEnabled: no,
    uplinkTeamingPolicy: defaultTeaming(uplinks),
  });
}

/** Carries all VLANs up and down: the uplinks' port group. */
export function uplinkSettings(above: VMwareDVSPortSetting): VMwareDVSPortSetting {
  const vlan = make('VmwareDistributedVirtualSwitchTrunkVlanSpec', {
    inherited: false,
    vlanId: [make('NumericRange', { start: 0, end: LAST_VLAN })],
  });
  return inheritSettings(make('VMwareDVSPortSetting', { vlan }), above);
}

/** `spec` over what was set before. Faults: InvalidArgument, NotSupported. */
export function changeSettings(former: VMwareDVSPortSetting, spec: DVPortSetting | undefined): VMwareDVSPortSetting {
  if (!spec) return former;
  const changed = spec as VMwareDVSPortSetting;
  refuseUnbuilt(changed);
  const securityPolicy = changeSecurity(former.securityPolicy, securityOf(changed));
  const merged = make('VMwareDVSPortSetting', {
    ...former,
    ...changed,
    securityPolicy,
    macManagementPolicy: macManagement(securityPolicy),
    uplinkTeamingPolicy: changeTeaming(former.uplinkTeamingPolicy, changed.uplinkTeamingPolicy),
  });
  hostVlan(merged.vlan);
  return merged;
}

/** A port group's settings with what it does not set itself taken from its switch, marked as inherited. */
export function inheritSettings(own: VMwareDVSPortSetting, above: VMwareDVSPortSetting): VMwareDVSPortSetting {
  const settings: Record<string, unknown> = { ...own };
  for (const [name, value] of Object.entries(above)) {
    const set = settings[name] as { inherited?: boolean } | undefined;
    if (name === '_typeName' || (set && !set.inherited)) continue;
    settings[name] = { ...(value as object), inherited: true };
  }
  for (const name of POLICIES_OF_POLICIES) {
    const policy = own[name];
    if (policy && !policy.inherited) settings[name] = fillIn(policy, above[name]);
  }
  settings['macManagementPolicy'] = macManagement(settings['securityPolicy'] as DVSSecurityPolicy | undefined);
  return settings as unknown as VMwareDVSPortSetting;
}

/** What a policy leaves to the one above it. */
function fillIn(own: object, above: object | undefined): object {
  const filled: Record<string, unknown> = { ...own };
  for (const [name, value] of Object.entries(above ?? {})) {
    const set = filled[name] as { inherited?: boolean } | undefined;
    if (typeof value !== 'object' || (set && !set.inherited)) continue;
    filled[name] = { ...value, inherited: true };
  }
  return filled;
}

/** Of settings that inherit nothing any more; the team is one of the switch's uplinks. */
export function hostSettings({ vlan, securityPolicy, uplinkTeamingPolicy }: VMwareDVSPortSetting): HostSettings {
  const is = (name: (typeof SECURITY)[number]) => securityPolicy?.[name]?.value ?? false;
  return {
    vlanId: hostVlan(vlan),
    security: {
      allowPromiscuous: is('allowPromiscuous'),
      macChanges: is('macChanges'),
      forgedTransmits: is('forgedTransmits'),
    },
    teaming: teamOf(uplinkTeamingPolicy),
  };
}

function hostVlan(vlan: VmwareDistributedVirtualSwitchVlanSpec | undefined): number {
  if (!vlan || (vlan.inherited && !('vlanId' in vlan))) return 0;
  if (isA('VmwareDistributedVirtualSwitchVlanIdSpec', vlan)) {
    if (vlan.vlanId < 0 || vlan.vlanId > LAST_VLAN) throw invalid('defaultPortConfig.vlan.vlanId');
    return vlan.vlanId;
  }
  if (isA('VmwareDistributedVirtualSwitchTrunkVlanSpec', vlan)) {
    const ranges = vlan.vlanId ?? [];
    if (ranges.some(({ start, end }) => start < 0 || end > LAST_VLAN || start > end)) {
      throw invalid('defaultPortConfig.vlan.vlanId');
    }
    if (ranges.some(({ start, end }) => start <= 1 && end === LAST_VLAN)) return ALL_VLANS;
    throw new MethodFault('NotSupported', {}, 'a trunk carries all VLANs (0-4094); a part of them is not built yet');
  }
  throw new MethodFault('NotSupported', {}, 'private VLANs are not built yet');
}

/** The newer name of the same three switches counts as well. */
function securityOf({ securityPolicy, macManagementPolicy }: VMwareDVSPortSetting): DVSSecurityPolicy | undefined {
  if (!macManagementPolicy || macManagementPolicy.inherited) return securityPolicy;
  const set = SECURITY.flatMap((name) => {
    const value = macManagementPolicy[name];
    return value === undefined ? [] : [[name, make('BoolPolicy', { inherited: false, value })] as const];
  });
  return make('DVSSecurityPolicy', { inherited: false, ...Object.fromEntries(set), ...securityPolicy });
}

/** The same three switches under their newer name, for clients that look only there. */
function macManagement(security: DVSSecurityPolicy | undefined): DVSMacManagementPolicy | undefined {
  if (!security) return undefined;
  const set = SECURITY.flatMap((name) => {
    const value = security[name]?.value;
    return value === undefined ? [] : [[name, value] as const];
  });
  return make('DVSMacManagementPolicy', { inherited: security.inherited, ...Object.fromEntries(set) });
}

function changeSecurity(
  former: DVSSecurityPolicy | undefined,
  spec: DVSSecurityPolicy | undefined,
): DVSSecurityPolicy | undefined {
  return spec ? { ...former, ...spec } : former;
}

function refuseUnbuilt(settings: VMwareDVSPortSetting): void {
  const { blocked, inShapingPolicy, outShapingPolicy, ipfixEnabled, macManagementPolicy, filterPolicy } = settings;
  const asked = [
    [blocked?.value, 'blocked ports'],
    [inShapingPolicy?.enabled?.value, 'traffic shaping'],
    [outShapingPolicy?.enabled?.value, 'traffic shaping'],
    [ipfixEnabled?.value, 'NetFlow'],
    [macManagementPolicy?.macLearningPolicy?.enabled, 'MAC learning'],
    [filterPolicy && !filterPolicy.inherited && (filterPolicy.filterConfig?.length ?? 0) > 0, 'traffic filters'],
  ] as const;
  const found = asked.find(([isAsked]) => isAsked);
  if (found) throw new MethodFault('NotSupported', {}, `${found[1]} are not built yet in distributed switches`);
}

function invalid(invalidProperty: string): MethodFault<'InvalidArgument'> {
  return new MethodFault('InvalidArgument', { invalidProperty });
}
