// A machine that is not QEMU: it lives on when hostd dies, and knows what would be lost if it ended. A test plays its
// guest through the methods here. How it differs from QEMU: docs/fidelity.md.
import type { GuestFacts } from '../vm/guest-facts.ts';
import type { DiskUsage, Ending, Hardware, KeyStroke, VmmEvents } from '../vm/vmm.ts';

export type MachineState = 'prelaunch' | 'running' | 'paused' | 'ioError' | 'ended';

export class SimulatedMachine {
  readonly vm: string;
  readonly bootTime: string;
  /** The VM's, absolute. */
  readonly folder: string;
  /** What only the guest's memory holds. A machine that boots has a new one; a resumed one has that of the suspend state. */
  memory: string;
  state: MachineState = 'prelaunch';
  hardware: Hardware;
  /** Ids of what is plugged in now. */
  readonly devices: Set<string>;
  readonly links = new Map<string, boolean>();
  /** What lies in which tray, absolute. */
  readonly media = new Map<string, string | undefined>();
  readonly keys: KeyStroke[] = [];
  hasAgent = false;
  /** What the agent answers; `undefined` = it hangs. */
  facts: GuestFacts | undefined;
  /** The guest's answer to the power button. */
  powerButton: 'ignored' | 'shutdown' = 'ignored';
  /** Room on the datastore of its disks. */
  isFull = false;
  /** What a resized disk's data file becomes. */
  resized: (file: { readonly folder: string; readonly name: string }, sizeBytes: number) => Promise<void> = async () =>
    undefined;
  /** MB that the machine started with, and what has been plugged on top of that. */
  readonly startMB: number;
  readonly memoryModules: number[];
  cpuSeconds = 0;
  /** Memory that it is asked to keep. */
  memoryTargetMB = 0;
  residentBytes = 64 * 2 ** 20;
  balloonedBytes = 0;
  /** What its guest says that it works with; undefined without a balloon driver. */
  activeBytes: number | undefined = 32 * 2 ** 20;
  /** What the virtual disks have done, by id; those that are not here have done nothing. */
  readonly diskUsage = new Map<string, Omit<DiskUsage, 'id'>>();
  /** Whoever holds its monitor. */
  holder: { readonly events: VmmEvents; isEndRequested: boolean } | undefined;
  readonly #freed: () => Promise<void>;
  #ended: Promise<void> | undefined;

  constructor(options: {
    readonly vm: string;
    readonly bootTime: string;
    readonly memory: string;
    readonly folder: string;
    readonly hardware: Hardware;
    /** Frees what the machine holds outside. */
    readonly freed: () => Promise<void>;
  }) {
    this.vm = options.vm;
    this.bootTime = options.bootTime;
    this.memory = options.memory;
    this.folder = options.folder;
    this.hardware = options.hardware;
    this.#freed = options.freed;
    const { machine } = options.hardware;
    this.startMB = machine.memoryMB;
    this.memoryModules = [...(machine.memoryModulesMB ?? [])];
    const drives = [...machine.controllers, ...machine.disks, ...machine.cdroms, ...machine.nics];
    this.devices = new Set(drives.map(({ id }) => id));
    for (const { id, linkUp } of machine.nics) this.links.set(id, linkUp);
    for (const { id, file } of [...machine.cdroms, ...machine.floppies]) this.media.set(id, file);
  }

  /** The guest writes to its disk: stops when there is no room. */
  writes(): void {
    if (this.state !== 'running' || !this.isFull) return;
    this.state = 'ioError';
    this.holder?.events.ioError({ device: 'disk-2000', noSpace: true, reason: 'No space left on device' });
  }

  /** The disk fails in another way. */
  readsBadBlock(): void {
    if (this.state !== 'running') return;
    this.state = 'ioError';
    this.holder?.events.ioError({ device: 'disk-2000', noSpace: false, reason: 'Input/output error' });
  }

  /** The guest's operating system powers off. */
  async powersOff(): Promise<void> {
    if (this.state === 'running') await this.end({ kind: 'guestShutdown' });
  }

  reboots(): void {
    this.memory = `${this.memory} rebooted`;
    this.holder?.events.reset();
  }

  /** kill -9 of the process. */
  dies(detail = 'killed by signal 9'): Promise<void> {
    return this.end({ kind: 'died', detail });
  }

  agentComes(facts?: GuestFacts): void {
    this.hasAgent = true;
    this.facts = facts;
    this.holder?.events.agent(true);
  }

  agentGoes(): void {
    this.hasAgent = false;
    this.holder?.events.agent(false);
  }

  continues(): void {
    this.state = 'running';
    this.holder?.events.resumed();
    this.writes();
  }

  /** Its monitor is closed at once; that the process is gone is known a little later. */
  async end(ending: Ending): Promise<void> {
    this.#ended ??= this.#end(ending);
    await this.#ended;
  }

  async #end(ending: Ending): Promise<void> {
    this.state = 'ended';
    await new Promise((resolve) => setImmediate(resolve));
    await this.#freed();
    this.holder?.events.ended(this.holder.isEndRequested ? { kind: 'requested' } : ending);
    this.holder = undefined;
  }
}
