// Maintenance mode: while a host enters it and is in it, no VM is powered on, made or registered. Kept in the store once entered.
//
//        enter                    no VM is on, no work of that kind is under way
//  out ─────────▶ entering ──────────────────────────────────────────────────────▶ in
//   ▲                 │ cancelled, timed out, hostd ends                             │
//   └─────────────────┴───────────────────────────── exit ───────────────────────────┘
//
// Source: vSphere Web Services API, HostSystem.EnterMaintenanceMode_Task and ExitMaintenanceMode_Task.
import type { Clock } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import { MethodFault } from '@vivarium/vim';

export type MaintenanceState = 'out' | 'entering' | 'in';

export interface MaintenanceModeOptions {
  readonly store: Pick<Store, 'get' | 'batch'>;
  readonly clock: Clock;
  /** Whether no VM is powered on. Say so by `settle` when that becomes true. */
  readonly isIdle: () => boolean;
}

const KEY = 'host/maintenance';

export class MaintenanceMode {
  readonly #options: MaintenanceModeOptions;
  readonly #listeners = new Set<() => void>();
  #state: MaintenanceState;
  /** Power-ons, creations and registrations under way. */
  #working = 0;
  #entered: (() => void) | undefined;

  constructor(options: MaintenanceModeOptions) {
    this.#options = options;
    this.#state = options.store.get(KEY) ? 'in' : 'out';
  }

  get state(): MaintenanceState {
    return this.#state;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Work that brings a VM to the host, or to life: not in maintenance mode, and entering waits for it. Fault: InvalidState. */
  async admit<T>(work: () => Promise<T>): Promise<T> {
    if (this.#state !== 'out') throw invalidState('The host is in maintenance mode.');
    this.#working += 1;
    try {
      return await work();
    } finally {
      this.#working -= 1;
      this.settle();
    }
  }

  /** A VM is off, or gone: perhaps it was the last one. */
  settle(): void {
    if (this.#state === 'entering' && this.#working === 0 && this.#options.isIdle()) this.#entered?.();
  }

  /**
   * Resolves when the host is in maintenance mode and that is on disk. `timeoutSeconds` 0 or less: as long as it takes. Faults:
   * InvalidState, Timedout; the signal's reason.
   */
  async enter(wish: { timeoutSeconds: number; signal: AbortSignal; began: () => void }): Promise<void> {
    if (this.#state === 'in') throw invalidState('The host is in maintenance mode already.');
    if (this.#state === 'entering') throw invalidState('The host is entering maintenance mode already.');
    this.#become('entering');
    try {
      wish.began();
      await this.#untilIdle(wish);
      await this.#options.store.batch([{ put: KEY, value: true }]);
    } catch (error) {
      this.#become('out');
      throw error;
    }
    this.#become('in');
  }

  /** Fault: InvalidState. */
  async exit(): Promise<void> {
    if (this.#state !== 'in') throw invalidState('The host is not in maintenance mode.');
    await this.#options.store.batch([{ delete: KEY }]);
    this.#become('out');
  }

  async #untilIdle({ timeoutSeconds, signal }: { timeoutSeconds: number; signal: AbortSignal }): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { clock } = this.#options;
    const timer =
      timeoutSeconds > 0 ? clock.setTimer(timeoutSeconds * 1000, () => reject(new MethodFault('Timedout'))) : undefined;
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#entered = resolve;
    this.settle();
    if (signal.aborted) onAbort();
    try {
      await promise;
    } finally {
      this.#entered = undefined;
      signal.removeEventListener('abort', onAbort);
      timer?.cancel();
    }
  }

  #become(state: MaintenanceState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

function invalidState(message: string): MethodFault {
  return new MethodFault('InvalidState', {}, message) as MethodFault;
}
