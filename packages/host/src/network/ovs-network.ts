// The host's network on Open vSwitch, for root: one network namespace with the switch, the guests' taps, DHCP and DNS in it,
// and a cable to the machine. It outlives hostd: what is there is found again, what died is started anew.
// Changes run one after the other. The configuration comes from HostNetworkSystem, the ports from the VMs; the switch's
// database only repeats both.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, Mutex } from '@vivarium/base';
import type { NetworkConfiguration, PortGroup } from './configuration.ts';
import { type HostIdentity, hostIdentity } from './host-identity.ts';
import { endProcess } from './linux/daemon.ts';
import { listDevices } from './linux/devices.ts';
import type { Libc } from './linux/libc.ts';
import { ensureNetworkNamespace, findNetworkNamespace, type NetworkNamespace } from './linux/network-namespace.ts';
import { processesInNamespace } from './linux/process-table.ts';
import { createPersistentTap, openTap } from './linux/tap.ts';
import { ensureHostLink, ensureTranslation, ipBatch, removeHostLink } from './machine/host-link.ts';
import { mainAddress, readMachineNetwork } from './machine/machine-network.ts';
import { OvsSwitch } from './ovs/ovs-switch.ts';
import { planFlows } from './ovs/plan-flows.ts';
import type { Datapath } from './ovs/plan-rows.ts';
import {
  desiredBridges,
  isTapName,
  type PortRecord,
  parsePort,
  type ServicePort,
  switchPorts,
  tapName,
} from './ovs/port-record.ts';
import { parseStatistics } from './ovs/port-statistics.ts';
import { probeDatapath } from './ovs/probe-datapath.ts';
import { switchFiles } from './ovs/switch-daemons.ts';
import { NetworkError, type NetworkFact, type NetworkProvider, type NicConnection, type PortSpec } from './provider.ts';
import { decideAddressPlan } from './services/address-store.ts';
import { DNSMASQ } from './services/dnsmasq.ts';
import { GuestServices } from './services/guest-services.ts';
import { formatSubnet } from './services/subnet.ts';
import type { Tools } from './tools.ts';

export interface OvsNetworkOptions {
  /** Absolute, resolved path of the host's state: its identity. Everything of the network is in its folder `network`. */
  readonly stateDir: string;
  readonly configuration: NetworkConfiguration;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tools: Tools;
  readonly libc: Libc;
}

/** What exists from start to stop. */
interface Running {
  readonly namespace: NetworkNamespace;
  readonly switch: OvsSwitch;
  readonly services: GuestServices;
  readonly datapath: Datapath;
}

type Ports = ReadonlyMap<string, PortRecord>;

export class OvsNetwork implements NetworkProvider {
  readonly mode = 'ovs';
  readonly #options: OvsNetworkOptions;
  readonly #identity: HostIdentity;
  readonly #service: ServicePort;
  readonly #mutex = new Mutex();
  readonly #listeners = new Set<() => void>();
  #configuration: NetworkConfiguration;
  #ports: Ports = new Map();
  #facts: readonly NetworkFact[] = [];
  #running: Running | undefined;

  constructor(options: OvsNetworkOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    this.#identity = hostIdentity(options.stateDir);
    this.#service = { ifname: 'gateway', mac: this.#identity.gatewayMac };
  }

  get facts() {
    return this.#facts;
  }

  get configuration() {
    return this.#configuration;
  }

  /** Name of the network namespace, for `ip netns exec`. */
  get namespaceName() {
    return this.#identity.name;
  }

  portGroups(): readonly PortGroup[] {
    return this.#configuration.portGroups;
  }

  ports() {
    return [...this.#ports.values()];
  }

  onPortsChanged(listener: () => void) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  managementAddress(): string {
    return mainAddress(readMachineNetwork())?.address ?? '127.0.0.1';
  }

  start(): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#running) return;
      await using undo = new AsyncDisposableStack();
      const { libc, tools, log } = this.#options;
      const { name } = this.#identity;
      const folder = join(this.#options.stateDir, 'network');
      const files = switchFiles(folder);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const machine = readMachineNetwork();
      const plan = await decideAddressPlan(join(folder, 'addresses.json'), machine, name, this.#identity.firstSubnet);

      const namespace = ensureNetworkNamespace(libc, name);
      undo.defer(() => namespace.close());
      // The host itself takes no part in the guests' IPv6: taps would talk, with addresses that the kernel gives them.
      for (const which of ['all', 'default']) namespace.writeSetting(`ipv6/conf/${which}/disable_ipv6`, '1');
      const around = { ...this.#options, namespace };
      const ovs = new OvsSwitch({ ...around, files, onSwitchRestarted: () => void this.#recover() });
      undo.defer(() => ovs.release());
      await ovs.start();
      const ports = survivors(ovs, namespace);
      const probed = await probeDatapath(tools);
      const datapath = (ports.size > 0 ? ovs.datapath() : undefined) ?? probed.datapath;
      const services = new GuestServices({
        ...around,
        folder: join(folder, 'guests'),
        device: this.#service.ifname,
        plan,
      });
      undo.defer(() => services.release());

      const running = { namespace, switch: ovs, services, datapath };
      await this.#arrange(running, this.#configuration, ports);
      const link = { name, namespace, plan };
      await ensureHostLink(tools, link);
      this.#facts = [
        {
          name: 'network',
          ok: true,
          detail: `Open vSwitch in namespace ${name}, guests in ${formatSubnet(plan.guests)}`,
        },
        probed.fact,
        ...(await ensureTranslation(tools, link, log)),
        await services.start(machine.resolvers),
      ];
      this.#running = running;
      this.#setPorts(ports);
      undo.move();
    });
  }

  stop(options: { readonly teardown?: boolean } = {}): Promise<void> {
    return this.#mutex.run(async () => {
      const running = this.#running;
      this.#running = undefined;
      await running?.services.release();
      await running?.switch.release();
      running?.namespace.close();
      if (options.teardown) await this.#tearDown();
    });
  }

  apply(next: NetworkConfiguration, renamed?: { readonly from: string; readonly to: string }): Promise<void> {
    return this.#mutex.run(async () => {
      const ports = mapPorts(this.#ports, (port) =>
        port.portGroup === renamed?.from ? { ...port, portGroup: renamed.to } : port,
      );
      await this.#change(next, ports);
      await this.#started().services.ensureAddress();
    });
  }

  attach(spec: PortSpec): Promise<NicConnection> {
    return this.#mutex.run(async () => {
      const running = this.#started();
      this.#requirePortGroup(spec.portGroup);
      await using undo = new AsyncDisposableStack();
      const { libc, tools } = this.#options;
      const { namespace } = running;
      const ifname = tapName(spec.portKey);
      const tap = { ifname, vnetHeader: running.datapath === 'system' };
      if (!listDevices(namespace).includes(ifname)) {
        createPersistentTap(libc, namespace, tap);
        undo.defer(() => ipBatch(tools, [`link delete ${ifname}`], namespace));
      }
      await ipBatch(tools, [`link set ${ifname} up`], namespace);
      const former = this.#ports.get(spec.portKey);
      const effectiveMac = former?.mac === spec.mac ? former.effectiveMac : spec.mac;
      await this.#change(
        this.#configuration,
        new Map(this.#ports).set(spec.portKey, { ...spec, ifname, effectiveMac }),
      );
      await running.services.name({ ...spec, ifname });
      undo.move();
      const openFd = () => {
        try {
          return openTap(libc, namespace, tap);
        } catch (cause) {
          throw new NetworkError(`cannot open ${ifname}`, { cause });
        }
      };
      return { kind: 'tap', ...tap, openFd };
    });
  }

  move(portKey: string, portGroup: string): Promise<void> {
    return this.#mutex.run(async () => {
      this.#requirePortGroup(portGroup);
      await this.#changePort(portKey, (port) => ({ ...port, portGroup }));
    });
  }

  setEffectiveMac(portKey: string, mac: string): Promise<void> {
    return this.#mutex.run(() => this.#changePort(portKey, (port) => ({ ...port, effectiveMac: mac })));
  }

  detach(portKey: string): Promise<void> {
    return this.#mutex.run(() => this.#remove([portKey]));
  }

  adopt(livePortKeys: ReadonlySet<string>): Promise<void> {
    return this.#mutex.run(async () => {
      await this.#remove([...this.#ports.keys()].filter((portKey) => !livePortKeys.has(portKey)));
      // Taps that a killed hostd had made, but not yet plugged in.
      const { namespace } = this.#started();
      const known = new Set([...livePortKeys].map(tapName));
      const stray = listDevices(namespace).filter((device) => isTapName(device) && !known.has(device));
      await this.#deleteDevices(namespace, stray);
    });
  }

  async stats(portKey: string) {
    const port = this.#ports.get(portKey);
    const counters = port && (await this.#started().switch.statistics(port.ifname));
    return counters && parseStatistics(counters);
  }

  #started(): Running {
    if (!this.#running) throw new NetworkError("the host's network is not running");
    return this.#running;
  }

  #requirePortGroup(name: string): void {
    if (!this.#configuration.portGroups.some((group) => group.name === name)) {
      throw new NetworkError(`there is no port group ${JSON.stringify(name)}`);
    }
  }

  #changePort(portKey: string, change: (port: PortRecord) => PortRecord): Promise<void> {
    const port = this.#ports.get(portKey);
    if (!port) throw new NetworkError(`there is no port ${portKey}`);
    return this.#change(this.#configuration, new Map(this.#ports).set(portKey, change(port)));
  }

  async #remove(portKeys: readonly string[]): Promise<void> {
    const running = this.#started();
    const ports = new Map([...this.#ports].filter(([portKey]) => !portKeys.includes(portKey)));
    if (ports.size !== this.#ports.size) await this.#change(this.#configuration, ports);
    const devices = new Set(listDevices(running.namespace));
    const taps = portKeys.map(tapName);
    await this.#deleteDevices(
      running.namespace,
      taps.filter((tap) => devices.has(tap)),
    );
    for (const tap of taps) await running.services.forget(tap);
  }

  async #deleteDevices(namespace: NetworkNamespace, devices: readonly string[]): Promise<void> {
    if (devices.length === 0) return;
    await ipBatch(
      this.#options.tools,
      devices.map((device) => `link delete ${device}`),
      namespace,
    );
  }

  // All or nothing: what cannot be done is undone, as far as the switch still answers.
  async #change(configuration: NetworkConfiguration, ports: Ports): Promise<void> {
    const running = this.#started();
    try {
      await this.#arrange(running, configuration, ports);
    } catch (error) {
      await this.#arrange(running, this.#configuration, this.#ports).catch((second: unknown) => {
        this.#options.log.error({ err: second }, 'network change could not be undone');
      });
      throw error;
    }
    this.#configuration = configuration;
    this.#setPorts(ports);
  }

  async #arrange(running: Running, configuration: NetworkConfiguration, ports: Ports): Promise<void> {
    const records = [...ports.values()];
    const bridges = desiredBridges(configuration, records, this.#service, running.datapath);
    await running.switch.arrange(bridges);
    const current = running.switch.ports();
    for (const { name } of bridges) {
      await running.switch.setFlows(name, planFlows(switchPorts(configuration, records, this.#service, current, name)));
    }
  }

  async #recover(): Promise<void> {
    await this.#mutex.run(async () => {
      const running = this.#running;
      if (!running) return;
      try {
        await running.services.ensureAddress();
        await this.#arrange(running, this.#configuration, this.#ports);
      } catch (error) {
        this.#options.log.error({ err: error }, 'the switch was started again, but not set up');
      }
    });
  }

  #setPorts(ports: Ports): void {
    this.#ports = ports;
    for (const listener of this.#listeners) listener();
  }

  async #tearDown(): Promise<void> {
    const { libc, tools, clock, stateDir } = this.#options;
    const { name } = this.#identity;
    const namespace = findNetworkNamespace(libc, name);
    if (namespace) {
      const ours = processesInNamespace(namespace.identity).filter(({ arguments: [program] }) =>
        PROGRAMS.has(program ?? ''),
      );
      await Promise.all(ours.map((target) => endProcess(clock, target)));
    }
    await removeHostLink(tools, name);
    namespace?.remove();
    namespace?.close();
    this.#setPorts(new Map());
    // Leases and the chosen addresses stay: a guest finds its old address after the next start.
    for (const entry of ['conf.db', 'guests/dhcp-names']) {
      await rm(join(stateDir, 'network', entry), { recursive: true, force: true });
    }
  }
}

const PROGRAMS = new Set(['/usr/sbin/ovsdb-server', '/usr/sbin/ovs-vswitchd', DNSMASQ]);

// A port whose tap is gone (the machine was restarted) has no guest any more.
function survivors(ovs: OvsSwitch, namespace: NetworkNamespace): Ports {
  const devices = new Set(listDevices(namespace));
  const records = ovs.ports().flatMap((port) => parsePort(port) ?? []);
  return new Map(records.filter(({ ifname }) => devices.has(ifname)).map((record) => [record.portKey, record]));
}

function mapPorts(ports: Ports, change: (port: PortRecord) => PortRecord): Ports {
  return new Map([...ports].map(([key, port]) => [key, change(port)]));
}
