// What is told when an uplink of a switch loses its link, or has it again: ESXi's events. Pure.
// Source: VMware's VMkernel observations esx.problem.net.*, esx.clear.net.*.
import { make } from '@vivarium/vim';
import { refs } from '../inventory/refs.ts';
import type { PhysicalAdapter } from '../network/adapters/physical-adapter.ts';
import type { NetworkConfiguration, VirtualSwitch } from '../network/configuration.ts';
import type { NewEvent } from '../vm/vm-host.ts';

/** By the uplink's name, whether it has a link. */
export type Links = ReadonlyMap<string, boolean>;

export function linksOf(configuration: NetworkConfiguration, adapters: readonly PhysicalAdapter[]): Links {
  const onSwitch = new Set(configuration.switches.flatMap(({ uplinks = [] }) => uplinks));
  return new Map(adapters.flatMap(({ name, hasLink }) => (onSwitch.has(name) ? [[name, hasLink] as const] : [])));
}

/** Uplinks that have just come, or gone, are no news. */
export function linkEvents(
  hostName: string,
  configuration: NetworkConfiguration,
  before: Links,
  after: Links,
): NewEvent[] {
  return configuration.switches.flatMap((vswitch) => {
    const uplinks = vswitch.uplinks ?? [];
    const changed = uplinks.filter((uplink) => {
      const [was, is] = [before.get(uplink), after.get(uplink)];
      return was !== undefined && is !== undefined && was !== is;
    });
    return changed.flatMap((uplink) => {
      const groups = configuration.portGroups.filter(({ vswitchName }) => vswitchName === vswitch.name);
      const subject = { hostName, uplink, vswitch, portGroups: groups.map(({ name }) => name) };
      const others = uplinks.filter((other) => other !== uplink && after.get(other)).length;
      return after.get(uplink) ? hasLink(subject, others) : hasNoLink(subject, others);
    });
  });
}

interface Subject {
  readonly hostName: string;
  readonly uplink: string;
  readonly vswitch: VirtualSwitch;
  readonly portGroups: readonly string[];
}

function hasNoLink(subject: Subject, others: number): NewEvent[] {
  const { uplink, vswitch, portGroups } = subject;
  const affected = `virtual switch "${vswitch.name}". Physical NIC ${uplink} is down. Affected port groups: ${listed(portGroups)}.`;
  const state = observed(
    subject,
    'esx.problem.net.vmnic.linkstate.down',
    'warning',
    `Physical NIC ${uplink} link is down.`,
  );
  if (others === 0) {
    const text = `Lost network connectivity on ${affected}`;
    return [state, observed(subject, 'esx.problem.net.connectivity.lost', 'error', text)];
  }
  const type = others === 1 ? 'esx.problem.net.redundancy.lost' : 'esx.problem.net.redundancy.degraded';
  const what = others === 1 ? 'Lost uplink redundancy' : 'Uplink redundancy degraded';
  return [state, observed(subject, type, 'warning', `${what} on ${affected}`)];
}

function hasLink(subject: Subject, others: number): NewEvent[] {
  const { uplink, vswitch, portGroups } = subject;
  const where = `on virtual switch "${vswitch.name}", port groups: ${listed(portGroups)}. Physical NIC ${uplink} is up.`;
  const state = observed(subject, 'esx.clear.net.vmnic.linkstate.up', 'info', `Physical NIC ${uplink} link is up.`);
  const [type, what] =
    others === 0
      ? ['esx.clear.net.connectivity.restored', 'Network connectivity restored']
      : ['esx.clear.net.redundancy.restored', 'Uplink redundancy restored'];
  return [state, observed(subject, type, 'info', `${what} ${where}`)];
}

function observed({ hostName, uplink }: Subject, eventTypeId: string, severity: string, message: string): NewEvent {
  const {
    key: _key,
    chainId: _chain,
    createdTime: _time,
    userName: _user,
    ...event
  } = make('EventEx', {
    key: 0,
    chainId: 0,
    createdTime: '',
    userName: '',
    datacenter: make('DatacenterEventArgument', { name: 'ha-datacenter', datacenter: refs.datacenter }),
    computeResource: make('ComputeResourceEventArgument', { name: hostName, computeResource: refs.computeResource }),
    host: make('HostEventArgument', { name: hostName, host: refs.host }),
    eventTypeId,
    severity,
    message,
    arguments: [make('KeyAnyValue', { key: '1', value: uplink })],
    objectId: refs.host.value,
    objectType: 'HostSystem',
    objectName: hostName,
  });
  return event;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `"${name}"`).join(', ');
}
