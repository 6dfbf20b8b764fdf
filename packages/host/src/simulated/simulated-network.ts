// A switch that carries nothing: changed as Open vSwitch is, with ports that are only told of.
import type { NetworkConfiguration, PortGroup } from '../network/configuration.ts';
import {
  NetworkError,
  type NetworkProvider,
  type NicConnection,
  type PluggingNic,
  type PortInfo,
  type PortSpec,
} from '../network/provider.ts';

export class SimulatedNetwork implements NetworkProvider {
  readonly mode = 'ovs';
  readonly facts = [{ name: 'network', ok: true, detail: 'simulated' }];
  readonly #address: string;
  readonly #ports = new Map<string, PortInfo>();
  readonly #listeners = new Set<() => void>();
  #configuration: NetworkConfiguration;

  constructor(configuration: NetworkConfiguration, address: string) {
    this.#configuration = configuration;
    this.#address = address;
  }

  get configuration(): NetworkConfiguration {
    return this.#configuration;
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
    return this.#address;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async apply(next: NetworkConfiguration, renamed?: { readonly from: string; readonly to: string }): Promise<void> {
    this.#configuration = next;
    if (!renamed) return;
    for (const [key, port] of this.#ports) {
      if (port.portGroup === renamed.from) this.#ports.set(key, { ...port, portGroup: renamed.to });
    }
    this.#changed();
  }

  async attach(spec: PortSpec): Promise<NicConnection> {
    this.#requirePortGroup(spec.portGroup);
    this.#ports.set(spec.portKey, { ...spec, ifname: '' });
    this.#changed();
    return { kind: 'user', hostForward: [] };
  }

  async beginAttach(spec: PortSpec): Promise<PluggingNic> {
    return { connection: await this.attach(spec), plugged: Promise.resolve() };
  }

  async move(portKey: string, portGroup: string): Promise<void> {
    this.#requirePortGroup(portGroup);
    const port = this.#ports.get(portKey);
    if (!port) throw new NetworkError(`there is no port ${portKey}`);
    this.#ports.set(portKey, { ...port, portGroup });
    this.#changed();
  }

  async setEffectiveMac(): Promise<void> {}

  async detach(portKey: string): Promise<void> {
    if (this.#ports.delete(portKey)) this.#changed();
  }

  async adopt(livePortKeys: ReadonlySet<string>): Promise<void> {
    for (const key of this.#ports.keys()) if (!livePortKeys.has(key)) this.#ports.delete(key);
    this.#changed();
  }

  statistics() {
    return new Map();
  }

  #requirePortGroup(name: string): void {
    if (this.portGroups().some((group) => group.name === name)) return;
    throw new NetworkError(`there is no port group '${name}'`);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
