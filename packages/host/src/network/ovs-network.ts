// The host's network on Open vSwitch, for root: which NIC is plugged in where, kept true through changes, refusals and deaths.
// Changes run one after the other. The configuration comes from HostNetworkSystem, the ports from the VMs; the switch's
// database only repeats both.
import { Mutex } from '@vivarium/base';
import type { PhysicalAdapter } from './adapters/physical-adapter.ts';
import { type NetworkConfiguration, type PortGroup, uplinksOf } from './configuration.ts';
import { type HostIdentity, hostIdentity } from './host-identity.ts';
import { type DeviceCounters, readDeviceCounters } from './linux/device-counters.ts';
import { listDevices } from './linux/devices.ts';
import { bringUp } from './linux/switch-cable.ts';
import { createPersistentTap, openTap, type TapOptions } from './linux/tap.ts';
import { ipBatch } from './machine/host-link.ts';
import { mainAddress, readMachineNetwork } from './machine/machine-network.ts';
import { isTapName, type PortRecord, tapName } from './ovs/port-record.ts';
import { portStatistics } from './ovs/port-statistics.ts';
import { type OvsHost, type OvsHostOptions, startOvsHost, tearDownOvsHost } from './ovs-host.ts';
import { PortTable, requirePortGroup } from './port-table.ts';
import {
  NetworkError,
  type NetworkFact,
  type NetworkProvider,
  type NicConnection,
  type PluggingNic,
  type PortSpec,
  type PortStatistics,
} from './provider.ts';

export interface OvsNetworkOptions extends OvsHostOptions {
  readonly configuration: NetworkConfiguration;
}

type Ports = ReadonlyMap<string, PortRecord>;

export class OvsNetwork implements NetworkProvider {
  readonly mode = 'ovs';
  readonly #options: OvsNetworkOptions;
  readonly #identity: HostIdentity;
  readonly #mutex = new Mutex();
  readonly #ports = new PortTable<PortRecord>();
  #configuration: NetworkConfiguration;
  #adapters: readonly PhysicalAdapter[] = [];
  #facts: readonly NetworkFact[] = [];
  #host: OvsHost | undefined;

  constructor(options: OvsNetworkOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    this.#identity = hostIdentity(options.stateDir);
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
    return this.#ports.list();
  }

  onChanged(listener: () => void) {
    return this.#ports.onChange(listener);
  }

  adapters() {
    this.#adapters = this.#host?.adapters.list(this.#host.switch.links()) ?? this.#adapters;
    return this.#adapters;
  }

  adapterCounters() {
    return this.#host?.adapters.counters() ?? new Map<string, DeviceCounters>();
  }

  managementAddress(): string {
    return mainAddress(readMachineNetwork())?.address ?? '127.0.0.1';
  }

  start(): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#host) return;
      this.#host = await startOvsHost({
        ...this.#options,
        identity: this.#identity,
        onSwitchRestarted: () => void this.#recover(),
        onLinksChanged: () => void this.#followLinks(),
      });
      this.#facts = this.#host.facts;
      this.#ports.set(new Map(this.#host.found.map((port) => [port.portKey, port])));
    });
  }

  stop(options: { readonly teardown?: boolean } = {}): Promise<void> {
    return this.#mutex.run(async () => {
      await this.#host?.release();
      this.#host = undefined;
      if (!options.teardown) return;
      await tearDownOvsHost(this.#options, this.#identity);
      this.#ports.set(new Map());
    });
  }

  apply(next: NetworkConfiguration, renamed?: { readonly from: string; readonly to: string }): Promise<void> {
    return this.#mutex.run(async () => {
      await this.#change(next, this.#ports.renamed(renamed));
      await this.#started().services.ensureAddress();
    });
  }

  async attach(spec: PortSpec): Promise<NicConnection> {
    const { connection, plugged } = await this.beginAttach(spec);
    await plugged;
    return connection;
  }

  beginAttach(spec: PortSpec): Promise<PluggingNic> {
    const ready = Promise.withResolvers<PluggingNic>();
    const plugged = this.#mutex.run(() => this.#plugIn(spec, (connection) => ready.resolve({ connection, plugged })));
    plugged.catch(ready.reject); // too late when it was ready: then whoever has `plugged` hears of it
    return ready.promise;
  }

  async #plugIn(spec: PortSpec, ready: (connection: NicConnection) => void): Promise<void> {
    const host = this.#started();
    requirePortGroup(this.#configuration, spec.portGroup);
    await using undo = new AsyncDisposableStack();
    const ifname = tapName(spec.portKey);
    // QEMU asks the descriptor whether there is a header (TUNGETIFF).
    const tap = { ifname, vnetHeader: host.datapath === 'system' };
    if (!listDevices(host.namespace).includes(ifname)) {
      createPersistentTap(this.#options.libc, host.namespace, tap);
      undo.defer(() => this.#deleteTaps([ifname]));
    }
    ready({ kind: 'tap', ifname, openFd: () => this.#open(host, tap) });
    bringUp(this.#options.libc, host.namespace, ifname);
    const former = this.#ports.all.get(spec.portKey);
    const effectiveMac = former?.mac === spec.mac ? former.effectiveMac : spec.mac;
    await this.#change(this.#configuration, this.#ports.with({ ...spec, ifname, effectiveMac }));
    await host.services.name({ ...spec, ifname });
    undo.move();
  }

  move(portKey: string, portGroup: string): Promise<void> {
    return this.#mutex.run(async () => {
      requirePortGroup(this.#configuration, portGroup);
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
      await this.#remove([...this.#ports.all.keys()].filter((portKey) => !livePortKeys.has(portKey)));
      // Taps that a killed hostd had made, but not yet plugged in.
      const live = new Set([...livePortKeys].map(tapName));
      const devices = listDevices(this.#started().namespace);
      await this.#deleteTaps(devices.filter((device) => isTapName(device) && !live.has(device)));
    });
  }

  statistics() {
    const counters = this.#host ? readDeviceCounters(this.#host.namespace) : undefined;
    const statistics = new Map<string, PortStatistics>();
    for (const { portKey, ifname } of this.#ports.list()) {
      const tap = counters?.get(ifname);
      if (tap) statistics.set(portKey, portStatistics(tap));
    }
    return statistics;
  }

  #started(): OvsHost {
    if (!this.#host) throw new NetworkError("the host's network is not running");
    return this.#host;
  }

  #open(host: OvsHost, tap: TapOptions): number {
    try {
      return openTap(this.#options.libc, host.namespace, tap);
    } catch (cause) {
      throw new NetworkError(`cannot open ${tap.ifname}`, { cause });
    }
  }

  async #changePort(portKey: string, change: (port: PortRecord) => PortRecord): Promise<void> {
    return this.#change(this.#configuration, this.#ports.with(change(this.#ports.get(portKey))));
  }

  async #remove(portKeys: readonly string[]): Promise<void> {
    const ports = this.#ports.without(portKeys);
    if (ports.size !== this.#ports.all.size) await this.#change(this.#configuration, ports);
    const taps = portKeys.map(tapName);
    await this.#deleteTaps(taps);
    for (const tap of taps) await this.#started().services.forget(tap);
  }

  async #deleteTaps(taps: readonly string[]): Promise<void> {
    const { namespace } = this.#started();
    const devices = new Set(listDevices(namespace));
    const commands = taps.filter((tap) => devices.has(tap)).map((tap) => `link delete ${tap}`);
    if (commands.length > 0) await ipBatch(this.#options.tools, commands, namespace);
  }

  // All or nothing: what cannot be done is undone, as far as the switch still answers.
  async #change(configuration: NetworkConfiguration, ports: Ports): Promise<void> {
    const host = this.#started();
    const former = new Set(uplinksOf(this.#configuration));
    const required = new Set(uplinksOf(configuration).filter((uplink) => !former.has(uplink)));
    try {
      await host.arrange(configuration, [...ports.values()], required);
    } catch (error) {
      await host.arrange(this.#configuration, this.ports()).catch((second: unknown) => {
        this.#options.log.error({ err: second }, 'network change could not be undone');
      });
      throw error;
    }
    this.#configuration = configuration;
    this.#ports.set(ports);
  }

  async #recover(): Promise<void> {
    await this.#mutex.run(async () => {
      try {
        await this.#host?.services.ensureAddress();
        await this.#host?.arrange(this.#configuration, this.ports());
      } catch (error) {
        this.#options.log.error({ err: error }, 'the switch was started again, but not set up');
      }
    });
  }

  async #followLinks(): Promise<void> {
    await this.#mutex.run(async () => {
      try {
        await this.#host?.setFlows(this.#configuration, this.ports());
      } catch (error) {
        this.#options.log.error({ err: error }, 'the switch does not follow its uplinks');
      }
    });
    this.#ports.tell();
  }
}
