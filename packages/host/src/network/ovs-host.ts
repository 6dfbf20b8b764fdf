// What a host's network consists of on the machine: namespace, switch, cable, guests' services. Made or found by
// startOvsHost, left alone by `release`, taken away by tearDownOvsHost. Decides nothing about ports and port groups.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger } from '@vivarium/base';
import { type AdapterChoice, HostAdapters } from './adapters/host-adapters.ts';
import { type NetworkConfiguration, uplinksOf } from './configuration.ts';
import type { HostIdentity } from './host-identity.ts';
import { endDaemons } from './linux/daemon.ts';
import { listDevices } from './linux/devices.ts';
import type { Libc } from './linux/libc.ts';
import { ensureNetworkNamespace, findNetworkNamespace, type NetworkNamespace } from './linux/network-namespace.ts';
import { ensureHostLink, ensureTranslation, removeHostLink } from './machine/host-link.ts';
import { readMachineNetwork } from './machine/machine-network.ts';
import { announcements, type Spoken, spokenBy } from './ovs/announce.ts';
import { OvsSwitch } from './ovs/ovs-switch.ts';
import { planFlows } from './ovs/plan-flows.ts';
import type { Datapath } from './ovs/plan-rows.ts';
import {
  bridgeName,
  desiredBridges,
  type PortRecord,
  parsePort,
  type ServicePort,
  switchPorts,
} from './ovs/port-record.ts';
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
  /** Default: none of the machine's adapters. */
  readonly adapters?: AdapterChoice;
}

export interface OvsHost {
  readonly namespace: NetworkNamespace;
  readonly services: GuestServices;
  readonly switch: OvsSwitch;
  readonly adapters: HostAdapters;
  readonly datapath: Datapath;
  readonly facts: readonly NetworkFact[];
  /** Ports that were there already, with their taps. */
  readonly found: readonly PortRecord[];
  /**
   * Makes the switch as these say: adapters first, then rows, then flows. Rejects in the middle; arrange what was before then. Of
   * uplinks that cannot be had only those that are `required` are an error.
   */
  arrange(
    configuration: NetworkConfiguration,
    ports: readonly PortRecord[],
    required?: ReadonlySet<string>,
  ): Promise<void>;
  /** The flows alone, after a link has changed. */
  setFlows(configuration: NetworkConfiguration, ports: readonly PortRecord[]): Promise<void>;
  /** Looks after nothing any more; everything runs on. */
  release(): Promise<void>;
}

export interface StartOptions extends OvsHostOptions {
  readonly identity: HostIdentity;
  readonly configuration: NetworkConfiguration;
  /** The switch's daemon died and is back, without flows and with its own devices as new. */
  readonly onSwitchRestarted: () => void;
  readonly onLinksChanged: () => void;
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
  const adapters = await openAdapters(options, namespace);
  const found = survivors(ovs, namespace);
  const probed = await probeDatapath();
  // Taps that guests hold are made for one of the two.
  const datapath = (found.length > 0 ? ovs.datapath() : undefined) ?? probed.datapath;

  const service: ServicePort = { ifname: 'gateway', mac: identity.gatewayMac };
  const spoken = new Map<string, Spoken>();
  const setFlows: OvsHost['setFlows'] = async (configuration, ports) => {
    for (const bridge of configuration.switches.map(({ name }) => bridgeName(name))) {
      const there = switchPorts(configuration, ports, service, ovs.ports(), bridge);
      await ovs.setFlows(bridge, planFlows(there.ports, there.uplinks));
      const news = announcements(there.ports, spoken.get(bridge) ?? spokenBy(there.ports));
      spoken.set(bridge, spokenBy(there.ports));
      if (news.length === 0) continue;
      await ovs.send(bridge, news).catch((error: unknown) => {
        log.warn({ bridge, err: error }, 'physical switches were not told of ports that have another uplink');
      });
    }
  };
  const told = new Set<string>();
  const arrange: OvsHost['arrange'] = async (configuration, ports, required) => {
    const uplinks = uplinksOf(configuration);
    const missing = await takeUplinks(adapters, uplinks, datapath, required);
    for (const [adapter, error] of missing) {
      if (!told.has(adapter)) log.error({ adapter, err: error }, 'a switch has to do without its uplink');
      told.add(adapter);
    }
    await ovs.arrange(desiredBridges(configuration, ports, service, datapath, adapters.taken()));
    await setFlows(configuration, ports);
    await adapters.keepOnly(new Set(uplinks));
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
  const release = () => all.disposeAsync();
  return { namespace, services, switch: ovs, adapters, datapath, facts, found, arrange, setFlows, release };
}

/** Ends and removes everything of the host on the machine, whatever there is of it. Its former leases and addresses stay. */
export async function tearDownOvsHost(options: OvsHostOptions, identity: HostIdentity): Promise<void> {
  const { libc, tools, clock, stateDir } = options;
  const namespace = findNetworkNamespace(libc, identity.name);
  if (namespace) await endDaemons(clock, namespace, [DATABASE_SERVER, SWITCH_DAEMON, DNSMASQ]);
  await removeHostLink(tools, identity.name);
  if (namespace) await (await openAdapters(options, namespace)).keepOnly(new Set());
  namespace?.remove();
  namespace?.close();
  for (const entry of ['conf.db', 'guests/dhcp-names']) {
    await rm(join(stateDir, 'network', entry), { recursive: true, force: true });
  }
}

function openAdapters(options: OvsHostOptions, namespace: NetworkNamespace): Promise<HostAdapters> {
  const { stateDir, tools, libc, log, adapters: choice = { named: [], others: false } } = options;
  return HostAdapters.open({ file: join(stateDir, 'network', 'adapters.json'), choice, namespace, tools, libc, log });
}

/** Returns those that cannot be had, with the reasons. Rejects when one of them is required. */
async function takeUplinks(
  adapters: HostAdapters,
  uplinks: readonly string[],
  datapath: Datapath,
  required: ReadonlySet<string> = new Set(),
): Promise<Map<string, unknown>> {
  const missing = new Map<string, unknown>();
  for (const uplink of uplinks) {
    try {
      await adapters.take(uplink, datapath);
    } catch (error) {
      if (required.has(uplink)) throw error;
      missing.set(uplink, error);
    }
  }
  return missing;
}

// A port whose tap is gone (the machine was restarted) has no guest any more.
function survivors(ovs: OvsSwitch, namespace: NetworkNamespace): PortRecord[] {
  const devices = new Set(listDevices(namespace));
  return ovs.ports().flatMap((port) => {
    const record = parsePort(port);
    return record && devices.has(record.ifname) ? [record] : [];
  });
}
