// What vCenter needs of a connection to a host, whatever is behind it: a hostd over the network, or a simulated host.
import type { Readable } from 'node:stream';
import type { AboutInfo, Event, ManagedObjectReference } from '@vivarium/vim';

/** One object's news. Values are as in the graph: unboxed, of the declared type; undefined = unset. */
export interface HostUpdate {
  readonly kind: 'enter' | 'modify' | 'leave';
  /** As the host names it. */
  readonly ref: ManagedObjectReference;
  readonly changes: readonly { readonly name: string; readonly value: unknown }[];
}

/** What has changed, together. */
export interface HostNews {
  readonly updates: readonly HostUpdate[];
  /** More is waiting: before the first news without it, not everything has been seen. */
  readonly isPartial: boolean;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (percent: number) => void;
  /** The chain under which the host's events of this operation come. */
  readonly onChain?: (chainId: number) => void;
}

export interface HostLink {
  /** Who answers. */
  readonly about: AboutInfo;
  /** HostHardwareInfo.systemInfo.uuid: which machine it is, whatever it is called. */
  hardwareUuid(): Promise<string>;
  /**
   * First everything, then what changes, until the signal ends it; throws when the connection is lost. Whoever iterates has
   * applied one set before asking for the next: results of `run` are told only after the changes that came with them.
   */
  updates(signal: AbortSignal): AsyncIterable<HostNews>;
  /** One call; resolves with its result in the host's words. Rejects with the host's MethodFault, or HostUnreachable. */
  call(target: ManagedObjectReference, method: string, args: object, signal?: AbortSignal): Promise<unknown>;
  /** A *_Task method to its end; resolves with TaskInfo.result, unboxed. Needs `updates` to be iterated. */
  run(target: ManagedObjectReference, method: string, args: object, options?: RunOptions): Promise<unknown>;
  /** The host's events behind the one with this key, or from now on; until the signal or the connection ends. Needs `updates`. */
  events(afterKey: number | undefined, signal: AbortSignal): AsyncIterable<readonly Event[]>;
  /** A request below the host's /folder door: files, streamed. Rejects with HostUnreachable, or NotSupported where there are none. */
  folder(request: FolderRequest): Promise<FolderAnswer>;
  /** A picture of a running VM's screen, PNG. Rejects with HostUnreachable when the host makes none. */
  screen(vm: ManagedObjectReference): Promise<Uint8Array>;
  /** A disk of an import, to the host's /nfc door. Rejects as folder does. */
  nfc(request: NfcRequest): Promise<FolderAnswer>;
  /** Properties of one object of the host's that is not part of its inventory: all, then what changes. In the host's words. */
  watch(
    ref: ManagedObjectReference,
    paths: readonly string[],
    signal: AbortSignal,
  ): AsyncIterable<Readonly<Record<string, unknown>>>;
  close(): void;
}

export interface FolderRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** In the host's words. */
  readonly datastore: string;
  /** Below the datastore's root, `/` between the parts, as it is called (not encoded). */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readable;
  readonly signal: AbortSignal;
}

export interface NfcRequest {
  /** The host's secret. */
  readonly lease: string;
  readonly file: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
  readonly signal: AbortSignal;
}

export interface FolderAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** To be read to its end, or destroyed. */
  readonly body: Readable;
}

/** How hosts are reached. */
export interface HostDialer {
  /**
   * The first contact, by an administrator's account of the host. Faults: SSLVerifyFault with the host's thumbprint when
   * `thumbprint` is not it, InvalidLogin, NoHost when nobody answers, AlreadyBeingManaged.
   */
  introduce(
    target: HostTarget,
    account: { readonly userName: string; readonly password: string },
    claim: ManagementClaim,
  ): Promise<HostLink>;
  /** Every later one, as the vCenter that the host trusts. Faults as above. */
  dial(target: HostTarget): Promise<HostLink>;
  /** The last one: the host is to trust this vCenter no more, and lets it in by an account alone. Faults as above. */
  part(target: HostTarget): Promise<void>;
}

/** By which vCenter a host is managed from now on. */
export interface ManagementClaim {
  readonly instanceUuid: string;
  /** Also when another one manages it. */
  readonly force: boolean;
}

export interface HostTarget {
  readonly address: string;
  readonly port: number;
  /** SHA-1 as vSphere writes it; undefined = not known yet. */
  readonly thumbprint: string | undefined;
}

/** Nobody answers, or no longer. */
export class HostUnreachable extends Error {
  override readonly name = 'HostUnreachable';
}
