// The virtual hardware of one machine, as data: everything that decides what the guest sees, and nothing of the host
// that runs it (paths inside the jail, sockets and descriptors come in as a HostBinding when the arguments are made).
// Pure. Words are QEMU's; the dictionary to vSphere's words is in the vmx package.

export type Accelerator = 'kvm' | 'tcg';

export interface Machine {
  /** Shown in the process title and the guest's SMBIOS where that applies. */
  readonly name: string;
  /** SMBIOS system UUID, lower case. */
  readonly uuid: string;
  /**
   * Versioned machine type, e.g. `pc-q35-11.1` or `pc-i440fx-11.1`: kept with the VM so that resume and migration rebuild it.
   * q35 carries every device of this model, real PIIX4 IDE included, and is the only one with secure boot and with the slot
   * numbers that guests know from VMware (`ens192`); i440fx is for guests that know nothing of PCI Express.
   */
  readonly machineType: string;
  readonly cpu: CpuTopology;
  readonly memoryMB: number;
  /** Ceiling for memory hot-add; absent or not more than `memoryMB` = none. */
  readonly memoryMaxMB?: number;
  /**
   * Sizes of the modules that had been plugged, in this order, when the state was saved that the machine goes on from. They come
   * on top of `memoryMB`. Absent = none.
   */
  readonly memoryModulesMB?: readonly number[];
  readonly firmware: Firmware;
  /** Milliseconds that the firmware waits before it boots. */
  readonly bootDelayMs: number;
  /** Shows the firmware's boot menu once. */
  readonly enterSetup: boolean;
  readonly controllers: readonly Controller[];
  readonly disks: readonly Disk[];
  readonly cdroms: readonly Cdrom[];
  readonly floppies: readonly Floppy[];
  readonly nics: readonly Nic[];
  readonly serials: readonly Serial[];
  readonly video: { readonly kind: 'std' | 'vmware' | 'virtio'; readonly videoRamKB: number };
  /** An xHCI controller with a USB keyboard and a tablet (absolute pointer). */
  readonly usbInput: boolean;
  /** A virtio-balloon with free page reporting. */
  readonly balloon: boolean;
  readonly rng: boolean;
  /** What the guest's DMI tables say; absent = this product's own strings. Each at most 64 characters. */
  readonly smbios?: Smbios;
  /** UUID that changes when the VM becomes another one (clone, revert): a vmgenid device. Absent = no such device. */
  readonly generationId?: string;
  /** What the guest's hardware clock shows when it starts; absent = `utc`. */
  readonly rtc?: 'utc' | 'localtime';
  /** Empty hot-plug ports kept for storage controllers and for NICs, each; absent = 1. A port costs the boot 40 ms under TCG. */
  readonly sparePorts?: number;
}

export interface Smbios {
  readonly manufacturer: string;
  readonly product: string;
  readonly version?: string;
  readonly serial?: string;
}

export interface CpuTopology {
  /** QEMU CPU model, e.g. `host`, `max`, `qemu64`. */
  readonly model: string;
  readonly count: number;
  readonly coresPerSocket: number;
  /** Ceiling for hot-add; equals `count` when hot-add is off. */
  readonly maxCount: number;
}

export type Firmware =
  | { readonly kind: 'bios' }
  /** `nvram` is a file of the VM's folder, made from the firmware's template when it is not there. */
  | { readonly kind: 'efi'; readonly secureBoot: boolean; readonly nvram: string };

export type ControllerKind =
  | 'pvscsi'
  | 'lsilogic' /* mptsas1068: see docs/fidelity.md */
  | 'lsisas' /* mptsas1068 */
  | 'buslogic' /* lsi53c895a stands in: see docs/fidelity.md */
  | 'virtio-scsi'
  | 'ahci'
  | 'ide'
  | 'nvme'
  | 'virtio-blk' /* not a bus: each disk on it is a function of its own */;

export interface Controller {
  /** Unique among all devices; becomes the qdev id, e.g. `scsi0`. */
  readonly id: string;
  readonly kind: ControllerKind;
  /**
   * Slot of the VM's versioned hardware record, in VMware's numbering (`pciSlotNumber`): bridge * 32 + device + function * 1024.
   * Absent, or one that cannot be used: the plan chooses (`planPciSlots`), and its choice belongs into the record.
   */
  readonly pciSlot?: number;
}

interface Drive {
  /** Unique among all devices; becomes the qdev id, e.g. `disk-2000`. */
  readonly id: string;
  readonly controller: string;
  readonly unit: number;
  /** 1 boots first; absent = not a boot device. */
  readonly bootIndex?: number;
}

export interface Disk extends Drive {
  /** Data file relative to the VM's folder, or absolute inside the jail when it lies elsewhere. */
  readonly file: string;
  readonly format: 'qcow2' | 'raw';
  /** Backing chain below `file`, nearest first: always named here, never taken from the image itself. */
  readonly backing: readonly { readonly file: string; readonly format: 'qcow2' | 'raw' }[];
  readonly readOnly: boolean;
  readonly writeThrough: boolean;
  /** UNMAP goes down to the data file (thin disks). */
  readonly discard: boolean;
  /** Guest-visible serial / SCSI VPD identity: the disk's UUID without dashes. */
  readonly serial: string;
  /** Only on a virtio-blk controller, where each disk is a PCI function of its own: as a controller's. */
  readonly pciSlot?: number;
}

/** `file` absent = empty tray. An image is always opened raw and read-only. */
export interface Cdrom extends Drive {
  readonly file?: string;
}

export interface Floppy {
  readonly id: string;
  readonly unit: 0 | 1;
  readonly file?: string;
  readonly readOnly: boolean;
  readonly bootIndex?: number;
}

export type NicKind = 'vmxnet3' | 'e1000' | 'e1000e' | 'virtio' | 'pcnet';

export interface Nic {
  /** e.g. `nic-4000`; becomes the qdev id; its netdev is `net-4000`. */
  readonly id: string;
  readonly kind: NicKind;
  readonly mac: string;
  readonly linkUp: boolean;
  /** Also loads the network boot ROM, which a nic without it does not carry. */
  readonly bootIndex?: number;
  /** As a controller's. */
  readonly pciSlot?: number;
}

export interface Serial {
  readonly id: string;
  readonly index: number;
  readonly backing:
    | { readonly kind: 'file'; readonly file: string; readonly append: boolean }
    | { readonly kind: 'socket'; readonly server: boolean; readonly path: string }
    | { readonly kind: 'null' };
}

/** What the host adds when it starts the machine: nothing of it is visible to the guest. */
export interface HostBinding {
  readonly accelerator: Accelerator;
  /** Folder of sockets inside the jail, e.g. `/run/vm`: see `runFiles` for what is made there. */
  readonly runFolder: string;
  /** The VM's folder inside the jail. */
  readonly vmFolder: string;
  /** How each nic (by id) reaches its network; a nic that is missing here is plugged but not connected. */
  readonly networks: Readonly<Record<string, NetworkBinding>>;
  /** `defer` = wait for migrate-incoming (resume from a suspend state). */
  readonly incoming?: 'defer';
  /** Start with the vCPUs stopped (`-S`). */
  readonly paused: boolean;
  /** QEMU's own seccomp filter. */
  readonly sandbox: boolean;
  /** Where the runtime root is, seen from QEMU: absent = `/` as in a jail; its path on the host when there is no jail. */
  readonly runtimeFolder?: string;
}

export type NetworkBinding =
  | { readonly kind: 'tap'; readonly fd: number }
  | { readonly kind: 'user'; readonly hostForward?: readonly string[] };
