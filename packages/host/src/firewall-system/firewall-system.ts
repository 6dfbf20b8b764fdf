// HostFirewallSystem: that a host blocks nothing. What would block something is not supported: the machine's firewall belongs
// to its owner. Source: vSphere Web Services API, HostFirewallSystem.
import { type Handlers, moRef } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import { FIREWALL, requireRuleset } from './firewall-info.ts';

export const FIREWALL_SYSTEM = moRef('HostFirewallSystem', 'ha-firewall-system');

export function addFirewallSystem({ graph }: Pick<Service, 'graph'>): void {
  const handlers: Handlers<'HostFirewallSystem', Call> = {
    EnableRuleset: ({ id }) => requireRuleset(id),
    RefreshFirewall: () => undefined,
  };
  graph.add(FIREWALL_SYSTEM, { firewallInfo: FIREWALL }, handlers, { entity: refs.host });
  graph.get(refs.host).set('config.firewall', FIREWALL);
}
