// What a guest has told us through its agent. The guest is not trusted: these are its claims, shown as such.

export interface GuestInterface {
  /** Lower case with colons; the key by which a claim is matched with a virtual NIC. */
  readonly mac: string;
  readonly addresses: readonly { readonly address: string; readonly prefix: number }[];
}

export interface GuestFileSystem {
  readonly mountPoint: string;
  readonly type?: string;
  readonly capacityBytes: number;
  readonly freeBytes: number;
}

export interface GuestFacts {
  readonly hostName?: string;
  /** e.g. `Debian GNU/Linux 13 (trixie)`. */
  readonly osName?: string;
  readonly interfaces: readonly GuestInterface[];
  /** Those on disks; absent when the agent does not tell. */
  readonly fileSystems?: readonly GuestFileSystem[];
}

/** Whether others can reach a machine by this address: no loopback, no link-local one (IPv6: fe80::/10). */
export function isReachable(address: string): boolean {
  return !/^(127\.|169\.254\.|0\.0\.0\.0$|::1?$|fe[89ab])/i.test(address);
}
