// What a host's network consists of on the machine: namespace, switch, cable, guests' services. Made or found by
// startOvsHost, left alone by `release`, taken away by tearDownOvsHost. Decides nothing about ports and port groups.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger } from '@vivarium/base';
import type { NetworkConfiguration } from './configuration.ts';
import type { HostIdentity } from './host-identity.ts';
import { endDaemons } from './linux/daemon.ts';
import { listDevices } from './linux/devices.ts';
import type { Libc } from './linux/libc.ts';
import { ensureNetworkNamespace, findNetworkNamespace, type NetworkNamespace } from './linux/network-namespace.ts';
import { ensureHostLink, ensureTranslation, removeHostLink } from './machine/host-link.ts';
import { readMachineNetwork } from './machine/machine-network.ts';
import { OvsSwitch } from './ovs/ovs-switch.ts';
import { planFlows } from './ovs/plan-flows.ts';
import type { Datapath } from './ovs/plan-rows.ts';
import { desiredBridges, type PortRecord, parsePort, type ServicePort, switchPorts } from './ovs/port-record.ts';
import { probeDatapath } from './ovs/probe-datapath.ts';
import { DATABASE_SERVER, SWITCH_DAEMON, switchFiles } from './ovs/switch-daemons.ts';
import type { NetworkFact } from './provider.ts';
import { decideAddressPlan } from './services/address-store.ts';
import { DNSMASQ } from './services/dnsmasq.ts';
import { GuestServices } from './services/guest-services.ts';
import { formatSubnet } from './services/subnet.ts';
import type { Tools } from './tools.ts';

export interface OvsHostOptions {
  /** Absolute, resolved path of the host's state: its identity. Everything of the network is in its folder `network`. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tools: Tools;
  readonly libc: Libc;
}

export interface OvsHost {
  readonly namespace: NetworkNamespace;
  readonly services: GuestServices;
  readonly switch: OvsSwitch;
  readonly datapath: Datapath;
  readonly facts: readonly NetworkFact[];
  /** Ports that were there already, with their taps. */
  readonly found: readonly PortRecord[];
  /** Makes the switch as these say: rows first, then flows. Rejects in the middle; arrange what was before then. */
  arrange(configuration: NetworkConfiguration, ports: readonly PortRecord[]): Promise<void>;
  /** Looks after nothing any more; everything runs on. */
  release(): Promise<void>;
}

export interface StartOptions extends OvsHostOptions {
  readonly identity: HostIdentity;
  readonly configuration: NetworkConfiguration;
  /** The switch's daemon died and is back, without flows and with its own devices as new. */
  readonly onSwitchRestarted: () => void;
}

export async function startOvsHost(options: StartOptions): Promise<OvsHost> {
  await using undo = new AsyncDisposableStack();
  const { libc, tools, log, identity } = options;
  const folder = join(options.stateDir, 'network');
  const files = switchFiles(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const machine = readMachineNetwork();
  const plan = await decideAddressPlan(join(folder, 'addresses.json'), machine, identity.name, identity.firstSubnet);

  const namespace = ensureNetworkNamespace(libc, identity.name);
  undo.defer(() => namespace.close());
  // The host itself takes no part in the guests' IPv6: taps would talk, with addresses that the kernel gives them.
  for (const which of ['all', 'default']) namespace.writeSetting(`ipv6/conf/${which}/disable_ipv6`, '1');
  const around = { ...options, namespace };
  const ovs = new OvsSwitch({ ...around, files });
  undo.defer(() => ovs.release());
  await ovs.start();
  const found = survivors(ovs, namespace);
  const probed = await probeDatapath();
  // Taps that guests hold are made for one of the two.
  const datapath = (found.length > 0 ? ovs.datapath() : undefined) ?? probed.datapath;

  const service: ServicePort = { ifname: 'gateway', mac: identity.gatewayMac };
  const arrange: OvsHost['arrange'] = async (configuration, ports) => {
    const bridges = desiredBridges(configuration, ports, service, datapath);
    await ovs.arrange(bridges);
    for (const { name } of bridges) {
      await ovs.setFlows(name, planFlows(switchPorts(configuration, ports, service, ovs.ports(), name)));
    }
  };
  await arrange(options.configuration, found);

  const link = { name: identity.name, namespace, plan };
  await ensureHostLink(tools, link);
  const services = new GuestServices({ ...around, folder: join(folder, 'guests'), device: service.ifname, plan });
  undo.defer(() => services.release());
  const where = `Open vSwitch in namespace ${identity.name}, guests in ${formatSubnet(plan.guests)}`;
  const facts = [
    { name: 'network', ok: true, detail: where },
    probed.fact,
    ...(await ensureTranslation(tools, link, log)),
    await services.start(machine.resolvers),
  ];
  const all = undo.move();
  return { namespace, services, switch: ovs, datapath, facts, found, arrange, release: () => all.disposeAsync() };
}

/** Ends and removes everything of the host on the machine, whatever there is of it. Its former leases and addresses stay. */
export async function tearDownOvsHost(options: OvsHostOptions, identity: HostIdentity): Promise<void> {
  const { libc, tools, clock, stateDir } = options;
  const namespace = findNetworkNamespace(libc, identity.name);
  if (namespace) await endDaemons(clock, namespace, [DATABASE_SERVER, SWITCH_DAEMON, DNSMASQ]);
  await removeHostLink(tools, identity.name);
  namespace?.remove();
  namespace?.close();
  for (const entry of ['conf.db', 'guests/dhcp-names']) {
    await rm(join(stateDir, 'network', entry), { recursive: true, force: true });
  }
}

// A port whose tap is gone (the machine was restarted) has no guest any more.
function survivors(ovs: OvsSwitch, namespace: NetworkNamespace): PortRecord[] {
  const devices = new Set(listDevices(namespace));
  return ovs.ports().flatMap((port) => {
    const record = parsePort(port);
    return record && devices.has(record.ifname) ? [record] : [];
  });
}
