// What a simulated host tells of itself, to whoever listens: changes of its objects, and events.
import type { Clock } from '@vivarium/base';
import type { HostNews, HostUpdate } from '@vivarium/vcenter';
import { type Event, type ManagedObjectReference, type MoRef, make } from '@vivarium/vim';

type Properties = Readonly<Record<string, unknown>>;

export class SimNews {
  /** The operation that is being carried out: its events are one chain. */
  chainId = 0;
  readonly #clock: Clock;
  readonly #listeners = new Set<(news: HostNews) => void>();
  readonly #eventListeners = new Set<(event: Event) => void>();
  #lastEvent = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nobody is told while the inventory is built, so nothing needs to be worked out for it. */
  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  /** `everything`, then what changes, until it is stopped. */
  listen(listener: (news: HostNews) => void, everything: readonly HostUpdate[]): () => void {
    this.#listeners.add(listener);
    listener({ updates: everything, isPartial: false });
    return () => void this.#listeners.delete(listener);
  }

  onEvent(listener: (event: Event) => void): () => void {
    this.#eventListeners.add(listener);
    return () => void this.#eventListeners.delete(listener);
  }

  tell(...updates: readonly HostUpdate[]): void {
    for (const listener of this.#listeners) listener({ updates, isPartial: false });
  }

  post({ ref, name }: { readonly ref: MoRef<'VirtualMachine'>; readonly name: string }, event: object): void {
    if (this.#eventListeners.size === 0) return;
    this.#lastEvent += 1;
    const common = {
      key: this.#lastEvent,
      chainId: this.chainId,
      createdTime: new Date(this.#clock.now()).toISOString(),
      userName: '',
      vm: make('VmEventArgument', { name, vm: ref }),
    };
    for (const listener of this.#eventListeners) listener({ ...event, ...common } as unknown as Event);
  }
}

export function entered(ref: ManagedObjectReference, said: Properties): HostUpdate {
  return { kind: 'enter', ref, changes: changesOf(said) };
}

export function modified(
  ref: ManagedObjectReference,
  said: Properties,
  names: readonly string[] = Object.keys(said),
): HostUpdate {
  return { kind: 'modify', ref, changes: changesOf(said, names) };
}

export function left(ref: ManagedObjectReference): HostUpdate {
  return { kind: 'leave', ref, changes: [] };
}

function changesOf(said: Properties, names: readonly string[] = Object.keys(said)) {
  return names.map((name) => ({ name, value: said[name] }));
}
