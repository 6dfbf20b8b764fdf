// The network of a host without root: each NIC gets QEMU's own NAT (`-netdev user`), so guests reach out but not each other,
// and nothing reaches them but what is forwarded. Nothing of it lives outside the QEMU processes.
import { INITIAL_CONFIGURATION, type NetworkConfiguration, type PortGroup } from './configuration.ts';
import { mainAddress, readMachineNetwork } from './machine/machine-network.ts';
import {
  NetworkError,
  type NetworkFact,
  type NetworkProvider,
  type NicConnection,
  type PluggingNic,
  type PortInfo,
  type PortSpec,
} from './provider.ts';

export interface UserNetworkOptions {
  /** Why there is no switch, for whoever asks the doctor. */
  readonly reason: string;
  /** The port groups that there are by name; each is the same NAT. Default: a new host's. */
  readonly configuration?: NetworkConfiguration;
  /** QEMU `hostfwd` rules of a NIC, e.g. `tcp:127.0.0.1:2222-:22`. Default: none. */
  readonly hostForward?: (spec: PortSpec) => readonly string[];
}

export class UserNetwork implements NetworkProvider {
  readonly mode = 'user';
  readonly facts: readonly NetworkFact[];
  readonly configuration: NetworkConfiguration;
  readonly #options: UserNetworkOptions;
  readonly #ports = new Map<string, PortInfo>();
  readonly #listeners = new Set<() => void>();

  constructor(options: UserNetworkOptions) {
    this.#options = options;
    this.configuration = options.configuration ?? INITIAL_CONFIGURATION;
    const detail = `user-mode NAT for each NIC: guests reach out, but not each other (${options.reason})`;
    this.facts = [{ name: 'network', ok: false, detail, mend: 'run as root' }];
  }

  portGroups(): readonly PortGroup[] {
    return this.configuration.portGroups;
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

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  apply(): Promise<void> {
    return Promise.reject(new NetworkError('there is no switch to change: this host has user-mode networking'));
  }

  async attach(spec: PortSpec): Promise<NicConnection> {
    this.#requirePortGroup(spec.portGroup);
    this.#change(() => this.#ports.set(spec.portKey, { ...spec, ifname: '' }));
    return { kind: 'user', hostForward: this.#options.hostForward?.(spec) ?? [] };
  }

  async beginAttach(spec: PortSpec): Promise<PluggingNic> {
    return { connection: await this.attach(spec), plugged: Promise.resolve() };
  }

  /** Every port group is the same NAT, so there is nothing to unplug. */
  async move(portKey: string, portGroup: string): Promise<void> {
    this.#requirePortGroup(portGroup);
    const port = this.#ports.get(portKey);
    if (!port) throw new NetworkError(`there is no port ${portKey}`);
    this.#change(() => this.#ports.set(portKey, { ...port, portGroup }));
  }

  async setEffectiveMac(): Promise<void> {}

  async detach(portKey: string): Promise<void> {
    this.#change(() => this.#ports.delete(portKey));
  }

  /** Ports of guests that run on are known again when somebody attaches them. */
  async adopt(livePortKeys: ReadonlySet<string>): Promise<void> {
    for (const portKey of this.#ports.keys()) if (!livePortKeys.has(portKey)) await this.detach(portKey);
  }

  statistics() {
    return new Map<string, never>();
  }

  #requirePortGroup(name: string): void {
    if (!this.portGroups().some((group) => group.name === name)) {
      throw new NetworkError(`there is no port group ${JSON.stringify(name)}`);
    }
  }

  #change(change: () => void): void {
    change();
    for (const listener of this.#listeners) listener();
  }
}
