// One running machine as a VM's driver sees it: QEMU in its jail in production, a simulated one in tests. Everything above
// this interface knows nothing of processes, sockets or QMP.
import type { Machine } from '@vivarium/qemu/machine';
import type { GuestFacts } from './guest-facts.ts';

/** How a machine came to its end. */
export type Ending =
  /** The guest's operating system powered off. */
  | { readonly kind: 'guestShutdown' }
  /** We asked for it (power-off, suspend). */
  | { readonly kind: 'requested' }
  /** The VMM died: killed, crashed. `detail` for the event and the log. */
  | { readonly kind: 'died'; readonly detail: string };

export interface VmmEvents {
  ended(ending: Ending): void;
  /** The guest rebooted itself, or was reset. */
  reset(): void;
  /** The machine stopped because a disk had no room, or failed otherwise. */
  ioError(error: { readonly device: string; readonly noSpace: boolean; readonly reason: string }): void;
  /** It runs again after an ioError. */
  resumed(): void;
  /** The guest's agent came (true) or went. */
  agent(connected: boolean): void;
  /** The guest gave a NIC another address. */
  macChanged(nicId: string): void;
}

/** A machine and the files that it stands on. */
export interface Hardware {
  readonly machine: Machine;
  /** Absolute paths of files outside the VM's folder, by the path under which the machine model names them. */
  readonly images: ReadonlyMap<string, string>;
  /** Absolute files that the VMM writes to; made empty when they are not there. */
  readonly writableFiles: readonly string[];
  /** NICs: switch port by nic id. */
  readonly networks: ReadonlyMap<string, NicPort>;
}

export interface NicPort {
  readonly portKey: string;
  /** Lower case with colons. */
  readonly mac: string;
  readonly portGroup: string;
}

/** The virtual devices that can come, go or change while the machine runs; ids are those of the machine model. */
export interface LiveDevices {
  /** Tells what the machine is made of now: after a start or an adoption. */
  learn(hardware: Hardware): void;
  /** PCI slots (VMware's numbering) into which something can be plugged now. */
  spareSlots(): readonly number[];
  plugController(id: string, hardware: Hardware): Promise<void>;
  unplugController(id: string): Promise<void>;
  plugDisk(id: string, hardware: Hardware): Promise<void>;
  unplugDisk(id: string): Promise<void>;
  plugCdrom(id: string, hardware: Hardware): Promise<void>;
  unplugCdrom(id: string): Promise<void>;
  plugNic(id: string, hardware: Hardware): Promise<void>;
  unplugNic(id: string): Promise<void>;
  setLink(id: string, up: boolean): Promise<void>;
  /** Moves a NIC to another port group; the link is `up` afterwards or not. */
  moveNic(id: string, portKey: string, portGroup: string, up: boolean): Promise<void>;
  /** `file` absent empties the tray; otherwise an absolute path on the host. */
  changeMedium(id: string, file: string | undefined, readOnly: boolean): Promise<void>;
  resizeDisk(id: string, sizeBytes: number): Promise<void>;
  /** Puts the far end of a serial port where `hardware` says. */
  changeSerial(id: string, hardware: Hardware): Promise<void>;
  plugCpus(count: number): Promise<void>;
  plugMemory(memoryMB: number): Promise<void>;
  /** Sizes in MB of what has been plugged on top of the memory that the guest was started with, in order. */
  memoryModules(): Promise<readonly number[]>;
  setDiskLimit(id: string, iops: number | undefined): Promise<void>;
}

/** What a machine has used so far and holds now. What its realization cannot tell is absent. */
export interface VmmUsage {
  /** CPU time of all of it, virtual CPUs and the rest. */
  readonly cpuSeconds: number;
  readonly vcpus: readonly VcpuTimes[];
  /** Time that it was held back by its CPU limit. */
  readonly throttledNs?: number;
  /** Host memory that it holds. */
  readonly residentBytes: number;
  readonly swappedBytes: number;
  /** Memory whose pages are shared with equal ones. */
  readonly sharedBytes?: number;
  /** Memory that is all zeroes and takes no room. */
  readonly zeroBytes?: number;
  /** Memory that the balloon has taken from the guest. */
  readonly balloonedBytes?: number;
  /** Memory that the guest works with, by its own word: all that it could not give away at once. */
  readonly activeBytes?: number;
  readonly disks: readonly DiskUsage[];
}

/** So far, in nanoseconds. */
export interface VcpuTimes {
  readonly index: number;
  readonly runNs: number;
  /** It could have run and no processor was free. */
  readonly readyNs: number;
}

/** Of a virtual disk, since the machine started. */
export interface DiskUsage {
  /** Id of the machine model: `disk-2000`. */
  readonly id: string;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly readTimeNs: number;
  readonly writeTimeNs: number;
}

export interface Vmm {
  /** dateTime of the power-on. */
  readonly bootTime: string;
  readonly accelerator: 'kvm' | 'tcg';
  /** Path of its VNC socket. */
  readonly vncSocket: string;
  /** Path of the socket of a serial port that leads to one (id of the machine model). */
  serialSocket(id: string): string;
  /** The guest's agent is connected now. */
  readonly hasAgent: boolean;
  readonly devices: LiveDevices;
  /** Whether the vCPUs run now. */
  isRunning(): Promise<boolean>;
  /** Whether the vCPUs have never run: its start was cut short. */
  isNew(): Promise<boolean>;
  /** vCPUs run (after an ioError, or the end of a start). */
  continue(): Promise<void>;
  reset(): Promise<void>;
  /** Presses the power button. */
  powerDown(): Promise<void>;
  /** Ends at once; returns when the process is gone and its resources are free. */
  kill(): Promise<void>;
  /**
   * Stops the guest, writes its state to `file` (absolute, in the VM's folder), calls `beforeEnd`, and ends. When
   * anything fails the guest runs on.
   */
  suspendTo(file: string, onProgress: (percent: number) => void, beforeEnd: () => Promise<void>): Promise<void>;
  screenshot(): Promise<Uint8Array>;
  /** USB HID usages with modifiers, in order, each pressed and released. */
  sendKeys(strokes: readonly KeyStroke[]): Promise<void>;
  /** Opens the VNC server with this password (its first 8 characters count); the path of its socket. */
  openVnc(password: string): Promise<string>;
  readonly agent: GuestAgentDoor;
  /** How much of its memory the guest may keep: the rest is asked back by the balloon, as far as the guest has a driver. */
  setMemoryTarget(megabytes: number): Promise<void>;
  usage(): Promise<VmmUsage | undefined>;
  /** Lets go of the machine without touching it: hostd ends, the guest runs on. */
  release(): void;
}

export interface KeyStroke {
  /** HID usage id of page 7 (keyboard). */
  readonly usage: number;
  readonly modifiers: readonly KeyModifier[];
}

export type KeyModifier =
  | 'leftControl'
  | 'leftShift'
  | 'leftAlt'
  | 'leftGui'
  | 'rightControl'
  | 'rightShift'
  | 'rightAlt'
  | 'rightGui';

export interface GuestAgentDoor {
  /** What the guest says of itself; rejects when the agent does not answer in time. */
  facts(): Promise<GuestFacts>;
  shutdown(mode: 'powerdown' | 'reboot'): Promise<void>;
}

export interface StartSpec {
  /** Number of the VM on this host: names its run folder, its uid and its control group, which is there already. */
  readonly id: string;
  readonly vmxFile: string;
  readonly hardware: Hardware;
  readonly vmName: string;
  /** As setMemoryTarget; absent = all of it. */
  readonly memoryTargetMB?: number;
  /** Continue from this suspend state (absolute) instead of booting. */
  readonly resumeFrom?: string;
  /** Called once the machine is complete and its state loaded, before the guest runs. Its failure ends the start. */
  beforeRun(): Promise<void>;
}

export interface VmmFactory {
  /** Starts a machine; when this returns the guest runs. Nothing is left of one that did not start. */
  start(spec: StartSpec, events: VmmEvents): Promise<Vmm>;
  /** Finds the machine that an earlier hostd started for this VM; `undefined` when there is none (left-overs are swept). */
  adopt(vm: { id: string; vmxFile: string }, events: VmmEvents): Promise<Vmm | undefined>;
}
