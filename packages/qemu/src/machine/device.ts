// A device as QEMU takes it, on the command line (`-device JSON`) and on the monitor (`device_add`) alike: data, no text.

export interface Device {
  readonly driver: string;
  readonly id?: string;
  readonly [property: string]: string | number | boolean | undefined;
}

/** Where a device sits on PCI. */
export interface PciAddress {
  readonly bus: string;
  /** `slot.function`, both hexadecimal. */
  readonly addr: string;
}

/** A `-blockdev` node or an argument of `blockdev-add`. */
export interface BlockNode {
  readonly driver: string;
  readonly 'node-name': string;
  readonly [option: string]: unknown;
}

/** A `-netdev` or an argument of `netdev_add`. */
export interface Netdev {
  readonly type: string;
  readonly id: string;
  readonly [option: string]: unknown;
}

/** A machine that QEMU cannot be: a unit that its controller has not, a missing controller, too many devices. */
export class MachineError extends Error {
  override readonly name = 'MachineError';
}
