// One import under way: a VM that exists and waits for the content of its disks.
//
//   initializing ──VM made──▶ ready ──Complete──▶ done
//        │                     │
//        └──VM cannot be made──┴──Abort, no sign of life for leaseTimeout──▶ error   (the VM is destroyed)
//
// Source: vSphere Web Services API, HttpNfcLease. Signs of life are HttpNfcLeaseProgress and arriving bytes.
import type { Clock, Timer } from '@vivarium/base';
import {
  type Handlers,
  type HttpNfcLeaseInfo,
  type LocalizedMethodFault,
  MethodFault,
  type MoRef,
  make,
  toLocalizedMethodFault,
} from '@vivarium/vim';
import type { Call, ManagedObject } from '@vivarium/vmomi';
import type { ImportDisk } from './import-disks.ts';
import { LEASE_TIMEOUT_SECONDS } from './lease-info.ts';

/** A lease that has ended can be looked at so long. */
const SHOWN_AFTER_END_MS = 5 * 60_000;

export interface LeaseOptions {
  readonly clock: Clock;
  /** The import is complete, and its VM stays: told before the client is. */
  keep(vm: MoRef<'VirtualMachine'>): Promise<void>;
  /** Undoes the import: destroys the VM. Never throws. */
  discard(vm: MoRef<'VirtualMachine'>): Promise<void>;
  /** What the client says that it has sent, 0 … 100. */
  progress?(percent: number): void;
  /** Told when the lease is over; with the error when it has not ended well. */
  ended(error?: LocalizedMethodFault): void;
  /** Takes the lease's object away. */
  forget(lease: ImportLease): void;
}

export class ImportLease {
  /** Secret part of the URLs: whoever knows it may send. */
  readonly token: string;
  readonly #options: LeaseOptions;
  readonly #stop = new AbortController();
  #object: ManagedObject<'HttpNfcLease'> | undefined;
  #timer: Timer | undefined;
  #vm: MoRef<'VirtualMachine'> | undefined;
  #disks: readonly ImportDisk[] = [];
  /** Under way. */
  readonly #transfers = new Set<Promise<unknown>>();
  #phase: 'initializing' | 'ready' | 'completing' | 'over' = 'initializing';

  constructor(token: string, options: LeaseOptions) {
    this.token = token;
    this.#options = options;
  }

  /** Aborted when the lease ends otherwise than well: transfers stop. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  get ref(): MoRef<'HttpNfcLease'> | undefined {
    return this.#object?.ref;
  }

  attach(object: ManagedObject<'HttpNfcLease'>): void {
    this.#object = object;
  }

  /** The VM is there: from now on its disks may come. Not for a lease that is over. */
  ready(vm: MoRef<'VirtualMachine'>, disks: readonly ImportDisk[], info: HttpNfcLeaseInfo): void {
    this.#phase = 'ready';
    this.#vm = vm;
    this.#disks = disks;
    this.#object?.update({ info, state: 'ready', initializeProgress: 100 });
    this.touch();
  }

  /** The disk that a URL's last part names; undefined when there is none, or the lease takes no more. */
  findDisk(fileName: string): ImportDisk | undefined {
    return this.#phase === 'ready' ? this.#disks.find((disk) => disk.fileName === fileName) : undefined;
  }

  /** A sign of life. */
  touch(): void {
    this.#timer?.cancel();
    if (this.#phase !== 'ready') return;
    this.#timer = this.#options.clock.setTimer(LEASE_TIMEOUT_SECONDS * 1000, () => {
      void this.fail(toLocalizedMethodFault(new MethodFault('Timedout')));
    });
  }

  /** While `work` runs, the lease cannot be completed, and its VM is not destroyed. */
  async transfer<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    this.#transfers.add(running);
    try {
      return await running;
    } finally {
      this.#transfers.delete(running);
    }
  }

  /** Ends the lease badly and undoes the import. Idempotent; never throws. */
  async fail(error: LocalizedMethodFault): Promise<void> {
    if (this.#phase === 'over' || this.#phase === 'completing') return;
    this.#over({ error, state: 'error' });
    this.#stop.abort(new MethodFault('RequestCanceled'));
    await Promise.allSettled(this.#transfers); // what is still being put into place would outlive the VM
    if (this.#vm) await this.#options.discard(this.#vm);
  }

  handlers(): Handlers<'HttpNfcLease', Call> {
    return {
      HttpNfcLeaseProgress: ({ percent }) => {
        if (this.#phase !== 'ready') throw new MethodFault('Timedout');
        const bounded = Math.max(0, Math.min(100, percent));
        this.#object?.set('transferProgress', bounded);
        this.#options.progress?.(bounded);
        this.touch();
      },
      HttpNfcLeaseComplete: () => this.#complete(),
      HttpNfcLeaseAbort: async ({ fault }) => {
        if (this.#phase === 'over' || this.#phase === 'completing') throw new MethodFault('InvalidState');
        await this.fail(fault ?? toLocalizedMethodFault(new MethodFault('RequestCanceled')));
      },
    };
  }

  // Nobody is told that it is done before that is on disk: until then the next start would destroy the VM.
  async #complete(): Promise<void> {
    if (this.#phase !== 'ready' || !this.#vm || this.#transfers.size > 0) throw new MethodFault('InvalidState');
    this.#phase = 'completing';
    this.#timer?.cancel();
    try {
      await this.#options.keep(this.#vm);
    } catch (error) {
      this.#phase = 'ready';
      this.touch();
      throw error;
    }
    this.#over({ state: 'done', transferProgress: 100 });
  }

  /** Stops the timer: the daemon goes. The VM is dealt with at the next start. */
  close(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#timer?.cancel();
    const canceled = new MethodFault('RequestCanceled');
    this.#stop.abort(canceled);
    this.#options.ended(toLocalizedMethodFault(canceled));
  }

  #over(said: {
    readonly state: 'done' | 'error';
    readonly error?: LocalizedMethodFault;
    readonly transferProgress?: number;
  }): void {
    this.#phase = 'over';
    this.#timer?.cancel();
    this.#object?.update(said);
    this.#options.ended(said.error);
    this.#options.clock.setTimer(SHOWN_AFTER_END_MS, () => this.#options.forget(this));
  }
}

/** The object's properties before anything has happened. */
export const newLeaseProperties = {
  initializeProgress: 0,
  transferProgress: 0,
  mode: 'pushOrGet',
  capabilities: make('HttpNfcLeaseCapabilities', { pullModeSupported: false, corsSupported: false }),
  state: 'initializing',
} as const;
