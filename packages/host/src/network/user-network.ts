// The network of a host without root: each NIC gets QEMU's own NAT (`-netdev user`), so guests reach out but not each other,
// and nothing reaches them but what is forwarded. Nothing of it lives outside the QEMU processes.
import { INITIAL_CONFIGURATION, type NetworkConfiguration, type PortGroup } from './configuration.ts';
import { mainAddress, readMachineNetwork } from './machine/machine-network.ts';
import { PortTable, requirePortGroup } from './port-table.ts';
import {
  NetworkError,
  type NetworkFact,
  type NetworkProvider,
  type NicConnection,
  type PluggingNic,
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
  readonly #ports = new PortTable();

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
    return this.#ports.list();
  }

  onChanged(listener: () => void) {
    return this.#ports.onChange(listener);
  }

  adapters() {
    return [];
  }

  adapterCounters() {
    return new Map<string, never>();
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
    requirePortGroup(this.configuration, spec.portGroup);
    this.#ports.set(this.#ports.with({ ...spec, ifname: '' }));
    return { kind: 'user', hostForward: this.#options.hostForward?.(spec) ?? [] };
  }

  async beginAttach(spec: PortSpec): Promise<PluggingNic> {
    return { connection: await this.attach(spec), plugged: Promise.resolve() };
  }

  /** Every port group is the same NAT, so there is nothing to unplug. */
  async move(portKey: string, portGroup: string): Promise<void> {
    requirePortGroup(this.configuration, portGroup);
    this.#ports.set(this.#ports.with({ ...this.#ports.get(portKey), portGroup }));
  }

  async setEffectiveMac(): Promise<void> {}

  async detach(portKey: string): Promise<void> {
    this.#ports.set(this.#ports.without([portKey]));
  }

  /** Ports of guests that run on are known again when somebody attaches them. */
  async adopt(livePortKeys: ReadonlySet<string>): Promise<void> {
    this.#ports.set(this.#ports.only(livePortKeys));
  }

  statistics() {
    return new Map<string, never>();
  }
}
