// The firewall of a host in vSphere's words: it blocks nothing, because the machine's own firewall belongs to its owner. The
// rulesets are those of what ESXi and its clients look for, under ESXi's keys, all of them open. Pure.
import {
  type HostFirewallInfo,
  type HostFirewallRule,
  type HostFirewallRuleset,
  MethodFault,
  make,
} from '@vivarium/vim';

type Port = readonly [direction: 'inbound' | 'outbound', protocol: 'tcp' | 'udp', port: number];

interface Ruleset {
  readonly key: string;
  readonly label: string;
  readonly service?: string;
  readonly ports: readonly Port[];
}

const RULESETS: readonly Ruleset[] = [
  { key: 'sshServer', label: 'SSH Server', service: 'TSM-SSH', ports: [['inbound', 'tcp', 22]] },
  { key: 'sshClient', label: 'SSH Client', ports: [['outbound', 'tcp', 22]] },
  { key: 'ntpClient', label: 'NTP Client', service: 'ntpd', ports: [['outbound', 'udp', 123]] },
  {
    key: 'dns',
    label: 'DNS Client',
    ports: [
      ['outbound', 'udp', 53],
      ['outbound', 'tcp', 53],
    ],
  },
  {
    key: 'httpClient',
    label: 'HTTP Client',
    ports: [
      ['outbound', 'tcp', 80],
      ['outbound', 'tcp', 443],
    ],
  },
  { key: 'vSphereClient', label: 'vSphere Web Client', ports: [['inbound', 'tcp', 443]] },
];

export const FIREWALL: HostFirewallInfo = make('HostFirewallInfo', {
  defaultPolicy: make('HostFirewallDefaultPolicy', { incomingBlocked: false, outgoingBlocked: false }),
  ruleset: RULESETS.map(ruleset),
});

function ruleset({ key, label, service, ports }: Ruleset): HostFirewallRuleset {
  return make('HostFirewallRuleset', {
    key,
    label,
    required: false,
    enabled: true,
    ...(service === undefined ? {} : { service }),
    rule: ports.map(rule),
    allowedHosts: make('HostFirewallRulesetIpList', { allIp: true }),
    userControllable: false,
    ipListUserConfigurable: false,
  });
}

function rule([direction, protocol, port]: Port): HostFirewallRule {
  return make('HostFirewallRule', { direction, protocol, port, portType: 'dst' });
}

/** What EnableRuleset does: it is open already. Faults: NotFound. */
export function requireRuleset(id: string): void {
  if (!RULESETS.some(({ key }) => key === id)) throw new MethodFault('NotFound');
}
