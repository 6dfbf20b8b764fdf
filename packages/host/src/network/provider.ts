// What the rest of hostd knows of networks: port groups by name, and ports that virtual NICs are plugged into.
// Two realizations: `ovs` (root: Open vSwitch in a network namespace of the host's own) and `user` (QEMU's own NAT).
import type { PhysicalAdapter } from './adapters/physical-adapter.ts';
import type { NetworkConfiguration, PortGroup } from './configuration.ts';
import type { DeviceCounters } from './linux/device-counters.ts';

/** Where one virtual NIC wants to be plugged in. */
export interface PortSpec {
  /** Identity of the port across restarts: the VM's uuid and the NIC's device key, e.g. `4212…-4000`. */
  readonly portKey: string;
  /** The NIC's configured (initial) MAC address, lower case with colons. */
  readonly mac: string;
  /** Name of the port group. */
  readonly portGroup: string;
  /** For people who look at the switch, and for the name that the guest gets in DNS. */
  readonly vmName: string;
}

/** A port as QEMU gets it. */
export type NicConnection =
  | {
      readonly kind: 'tap';
      /** Name of the tap inside the host's network namespace. */
      readonly ifname: string;
      /**
       * Opens the tap for one QEMU and returns the descriptor, close-on-exec; the caller owns and closes it.
       * Throws a NetworkError (EBUSY as `cause`) while another process still holds the tap.
       */
      openFd(): number;
    }
  | {
      readonly kind: 'user';
      /** QEMU `hostfwd` rules, e.g. `tcp:127.0.0.1:2222-:22`. */
      readonly hostForward: readonly string[];
    };

/** A port that QEMU can open already, while the switch learns of it. */
export interface PluggingNic {
  readonly connection: NicConnection;
  /** Resolves when frames pass; when it rejects (NetworkError) nothing is left of the port. */
  readonly plugged: Promise<void>;
}

/** A plugged port, for who shows it. */
export interface PortInfo extends PortSpec {
  readonly ifname: string;
}

/** Counters as the guest sees them: `received` went into the guest. */
export interface PortStatistics {
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly receivedDropped: number;
  readonly transmittedBytes: number;
  readonly transmittedPackets: number;
  readonly transmittedDropped: number;
}

/** One thing that this machine can or cannot do for networks, for `viv doctor` and the host's log. */
export interface NetworkFact {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to type to mend it, when something can be typed. */
  readonly mend?: string;
}

export interface NetworkProvider {
  readonly mode: 'ovs' | 'user';
  /** Filled by `start`. */
  readonly facts: readonly NetworkFact[];
  /** What is realized now. */
  readonly configuration: NetworkConfiguration;
  portGroups(): readonly PortGroup[];
  /** What is plugged in now. */
  ports(): readonly PortInfo[];
  /** The network adapters of the machine that the host has or may have, as they are now. */
  adapters(): readonly PhysicalAdapter[];
  /** Called when the answer of `ports` changed, or that of `adapters` for an uplink. Returns the way to take it back. */
  onChanged(listener: () => void): () => void;
  /** Makes or re-adopts the host's network as `configuration` says. Running guests keep their ports. */
  start(): Promise<void>;
  /** Lets go of the network and leaves it to running guests; with `teardown` nothing of it stays on the machine. */
  stop(options?: { readonly teardown?: boolean }): Promise<void>;
  /**
   * Makes the switch as `next` says: all or nothing; to make it durable is the caller's matter. Ports of a port group that is
   * `renamed` follow it; those of one that is gone hang in the air. Throws NetworkError.
   */
  apply(next: NetworkConfiguration, renamed?: { readonly from: string; readonly to: string }): Promise<void>;
  /** Plugs a NIC in; for a port that is there already, brings it to what `spec` says. Throws NetworkError. */
  attach(spec: PortSpec): Promise<NicConnection>;
  /** As `attach`, for who has something to do while the switch works. */
  beginAttach(spec: PortSpec): Promise<PluggingNic>;
  /** Moves a plugged NIC to another port group without a break of its link. */
  move(portKey: string, portGroup: string): Promise<void>;
  /** The guest gave its NIC another address (QMP NIC_RX_FILTER_CHANGED): judged by the port group's policy. */
  setEffectiveMac(portKey: string, mac: string): Promise<void>;
  /** Unplugs; a port that is not there is no error. */
  detach(portKey: string): Promise<void>;
  /** After a crash: unplugs every port but these. */
  adopt(livePortKeys: ReadonlySet<string>): Promise<void>;
  /** Counters of all ports, by port key; none where nobody counts (user-mode networking). */
  statistics(): ReadonlyMap<string, PortStatistics>;
  /** Counters of the adapters, by name. */
  adapterCounters(): ReadonlyMap<string, DeviceCounters>;
  /** The address that the machine is reached at (vmk0), without prefix. */
  managementAddress(): string;
}

/** An operation on the machine's network failed; `cause` says how. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}
