// A switch that carries nothing: changed as Open vSwitch is, with ports that are only told of.
import type { PhysicalAdapter } from '../network/adapters/physical-adapter.ts';
import type { NetworkConfiguration, PortGroup } from '../network/configuration.ts';
import { PortTable, requirePortGroup } from '../network/port-table.ts';
import type { NetworkProvider, NicConnection, PluggingNic, PortSpec } from '../network/provider.ts';

export class SimulatedNetwork implements NetworkProvider {
  readonly mode = 'ovs';
  readonly facts = [{ name: 'network', ok: true, detail: 'simulated' }];
  readonly #address: string;
  readonly #adapters: readonly PhysicalAdapter[];
  readonly #ports = new PortTable();
  #configuration: NetworkConfiguration;

  constructor(configuration: NetworkConfiguration, address: string, adapters: readonly PhysicalAdapter[] = []) {
    this.#configuration = configuration;
    this.#address = address;
    this.#adapters = adapters;
  }

  get configuration(): NetworkConfiguration {
    return this.#configuration;
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
    return this.#adapters;
  }

  adapterCounters() {
    return new Map<string, never>();
  }

  managementAddress(): string {
    return this.#address;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async apply(next: NetworkConfiguration, renamed?: { readonly from: string; readonly to: string }): Promise<void> {
    this.#configuration = next;
    this.#ports.set(this.#ports.renamed(renamed));
  }

  async attach(spec: PortSpec): Promise<NicConnection> {
    requirePortGroup(this.#configuration, spec.portGroup);
    this.#ports.set(this.#ports.with({ ...spec, ifname: '' }));
    return { kind: 'user', hostForward: [] };
  }

  async beginAttach(spec: PortSpec): Promise<PluggingNic> {
    return { connection: await this.attach(spec), plugged: Promise.resolve() };
  }

  async move(portKey: string, portGroup: string): Promise<void> {
    requirePortGroup(this.#configuration, portGroup);
    this.#ports.set(this.#ports.with({ ...this.#ports.get(portKey), portGroup }));
  }

  async setEffectiveMac(): Promise<void> {}

  async detach(portKey: string): Promise<void> {
    this.#ports.set(this.#ports.without([portKey]));
  }

  async adopt(livePortKeys: ReadonlySet<string>): Promise<void> {
    this.#ports.set(this.#ports.only(livePortKeys));
  }

  statistics() {
    return new Map();
  }
}
