// One import under way: a VM that exists and waits for the content of its disks.
//
//   initializing ──VM made──▶ ready ──Complete──▶ done
//        │                     │
//        └──VM cannot be made──┴──Abort, no sign of life for leaseTimeout──▶ error   (the VM is destroyed)
//
// Source: vSphere Web Services API, HttpNfcLease. Signs of life are HttpNfcLeaseProgress and arriving bytes.
import type { Clock, Logger, Timer } from '@vivarium/base';
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

export const LEASE_TIMEOUT_SECONDS = 300;
/** A lease that has ended can be looked at so long. */
const SHOWN_AFTER_END_MS = 5 * 60_000;

export interface LeaseOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Undoes the import: destroys the VM. */
  discard(vm: MoRef<'VirtualMachine'>): Promise<void>;
  /** Told when the import is over, well or not, before the answer to the client. */
  ended(lease: ImportLease): Promise<void>;
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
  #transfers = 0;

  constructor(token: string, options: LeaseOptions) {
    this.token = token;
    this.#options = options;
  }

  /** Aborted when the lease ends otherwise than well: transfers stop. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get ref(): MoRef<'HttpNfcLease'> | undefined {
    return this.#object?.ref;
  }

  attach(object: ManagedObject<'HttpNfcLease'>): void {
    this.#object = object;
  }

  /** The VM is there: from now on its disks may come. */
  ready(vm: MoRef<'VirtualMachine'>, disks: readonly ImportDisk[], info: HttpNfcLeaseInfo): void {
    this.#vm = vm;
    this.#disks = disks;
    this.#object?.update({ info, state: 'ready', initializeProgress: 100 });
    this.touch();
  }

  /** The disk that a URL's last part names; undefined when there is none, or the lease takes no more. */
  findDisk(fileName: string): ImportDisk | undefined {
    return this.#isReady ? this.#disks.find((disk) => disk.fileName === fileName) : undefined;
  }

  /** A sign of life. */
  touch(): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(LEASE_TIMEOUT_SECONDS * 1000, () => {
      void this.fail(toLocalizedMethodFault(new MethodFault('Timedout')));
    });
  }

  /** While `work` runs, the lease cannot be completed. */
  async transfer<T>(work: () => Promise<T>): Promise<T> {
    this.#transfers++;
    try {
      return await work();
    } finally {
      this.#transfers--;
    }
  }

  /** Ends the lease badly and undoes the import. Idempotent. */
  async fail(error: LocalizedMethodFault): Promise<void> {
    if (this.#isOver) return;
    this.#timer?.cancel();
    this.#object?.update({ error, state: 'error' });
    this.#stop.abort(new MethodFault('RequestCanceled'));
    try {
      if (this.#vm) await this.#options.discard(this.#vm);
    } catch (cause) {
      this.#options.log.error({ err: cause, vm: this.#vm?.value }, 'cannot remove the VM of a failed import');
    }
    await this.#end();
  }

  handlers(): Handlers<'HttpNfcLease', Call> {
    return {
      HttpNfcLeaseProgress: ({ percent }) => {
        if (!this.#isReady) throw new MethodFault('Timedout');
        this.#object?.set('transferProgress', Math.max(0, Math.min(100, percent)));
        this.touch();
      },
      HttpNfcLeaseComplete: async () => {
        if (!this.#isReady || this.#transfers > 0) throw new MethodFault('InvalidState');
        this.#timer?.cancel();
        this.#object?.update({ state: 'done', transferProgress: 100 });
        await this.#end();
      },
      HttpNfcLeaseAbort: async ({ fault }) => {
        if (this.#isOver) throw new MethodFault('InvalidState');
        await this.fail(fault ?? toLocalizedMethodFault(new MethodFault('RequestCanceled')));
      },
    };
  }

  /** Stops the timer: the daemon goes. The VM is dealt with at the next start. */
  close(): void {
    this.#timer?.cancel();
    this.#stop.abort(new MethodFault('RequestCanceled'));
  }

  get #isReady(): boolean {
    return this.#object?.get('state') === 'ready';
  }

  get #isOver(): boolean {
    const state = this.#object?.get('state');
    return state === 'done' || state === 'error';
  }

  async #end(): Promise<void> {
    await this.#options.ended(this);
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
