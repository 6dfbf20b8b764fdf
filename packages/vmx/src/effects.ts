// What must happen in the world so that a new configuration becomes true. Data only: the host executes it.
//
// Three phases, always in this order:
//   prepare  files that the new configuration needs. Undo a `createDisk` when a later step fails.
//   live     changes of the running machine (only when env.powerState is poweredOn). Afterwards the VMX is written: the
//            change is acknowledged when that file is durable.
//   cleanup  files that nothing names any more. A failure here is logged, the change stands.

export type DiskProvisioning = 'thin' | 'lazyZeroedThick' | 'eagerZeroedThick';

/** The `ddb.adapterType` of a descriptor. */
export type DiskAdapter = 'lsilogic' | 'buslogic' | 'ide' | 'pvscsi';

interface PrepareArgs {
  /** Makes an empty virtual disk: a descriptor at `path` and its data file beside it. */
  createDisk: {
    /** Datastore path of the descriptor, e.g. `[datastore1] web/web.vmdk`. */
    readonly path: string;
    readonly deviceKey: number;
    readonly capacityBytes: number;
    readonly provisioning: DiskProvisioning;
    readonly adapter: DiskAdapter;
    /** `ddb.uuid` as vSphere shows it: `6000C29e-…` (36 characters). */
    readonly uuid: string;
    /** `ddb.longContentID`, 32 hex digits; its last 8 are the CID. */
    readonly contentId: string;
    /** The file that is there already may be written over (fileOperation `replace`). */
    readonly replace: boolean;
    /** Datastore path of the descriptor below a delta disk (linked clone). */
    readonly parent?: string;
  };
  /** Enlarges a disk. `deviceId` is the qdev id when the machine runs (QMP block_resize), otherwise absent (qemu-img). */
  growDisk: {
    readonly path: string;
    readonly deviceKey: number;
    readonly capacityBytes: number;
    readonly deviceId?: string;
  };
}

interface LiveArgs {
  /** `deviceId` names a controller of machineFromConfig(new config).controllers. */
  plugController: LiveDevice;
  unplugController: LiveDevice;
  /** `deviceId` names a disk of machineFromConfig(new config).disks. */
  plugDisk: LiveDevice;
  unplugDisk: LiveDevice;
  /** `deviceId` names a drive of machineFromConfig(new config).cdroms (SATA only: a tray that arrives while running). */
  plugCdrom: LiveDevice;
  unplugCdrom: LiveDevice;
  plugNic: LiveDevice;
  unplugNic: LiveDevice;
  /** Another network behind the same adapter: the guest sees the link go and come back. `up`: the link afterwards. */
  moveNic: LiveDevice & { readonly network: string; readonly up: boolean };
  setNicLink: LiveDevice & { readonly up: boolean };
  /** `path` absent = the tray is emptied. A datastore path, or a host device such as `/dev/sr0`. */
  changeMedia: LiveDevice & { readonly medium: 'cdrom' | 'floppy'; readonly path?: string; readonly readOnly: boolean };
  /** The far end of a serial port as machineFromConfig(new config).serials says (QMP chardev-change). */
  changeSerial: LiveDevice;
  /** Hot-add of vCPUs up to `count` (never fewer than now). */
  plugCpus: { readonly count: number };
  /** Hot-add of memory up to `memoryMB` (never less than now). */
  plugMemory: { readonly memoryMB: number };
  /** The cgroup of the machine follows config.cpuAllocation and config.memoryAllocation. */
  setAllocation: object;
  /** Disk I/O limit in operations a second; absent = none. */
  setDiskLimit: LiveDevice & { readonly iops?: number };
  /** guestinfo.* of the running machine; `value` absent = removed. */
  setGuestInfo: { readonly name: string; readonly value?: string };
}

interface LiveDevice {
  readonly deviceKey: number;
  /** The qdev id, equal to the id in machineFromConfig(...). */
  readonly deviceId: string;
}

interface CleanupArgs {
  /** Deletes a virtual disk: descriptor and data file. The parent of a delta stays. */
  deleteDisk: { readonly path: string };
  /** Deletes a plain file of the VM (an old nvram, a serial output that was replaced). */
  deleteFile: { readonly path: string };
}

type Variants<Args> = { [Kind in keyof Args]: { readonly kind: Kind } & Readonly<Args[Kind]> };

export type PrepareEffect<K extends keyof PrepareArgs = keyof PrepareArgs> = Variants<PrepareArgs>[K];
export type LiveEffect<K extends keyof LiveArgs = keyof LiveArgs> = Variants<LiveArgs>[K];
export type CleanupEffect<K extends keyof CleanupArgs = keyof CleanupArgs> = Variants<CleanupArgs>[K];
export type Effect = PrepareEffect | LiveEffect | CleanupEffect;

export interface Effects {
  readonly prepare: readonly PrepareEffect[];
  readonly live: readonly LiveEffect[];
  readonly cleanup: readonly CleanupEffect[];
}
