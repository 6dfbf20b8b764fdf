// How often VMs were started, stopped, changed …, by cluster and datacenter, since vCenter began: the counters `vmop`.
import { type Event, type MoRef, moRefKey } from '@vivarium/vim';
import { type CounterName, counterKey, type MetricValue } from '@vivarium/vmomi';

const COUNTED: Readonly<Record<string, CounterName>> = {
  VmPoweredOnEvent: 'vmop.numPoweron.latest',
  VmPoweredOffEvent: 'vmop.numPoweroff.latest',
  VmSuspendedEvent: 'vmop.numSuspend.latest',
  VmResettingEvent: 'vmop.numReset.latest',
  VmGuestRebootEvent: 'vmop.numRebootGuest.latest',
  VmGuestStandbyEvent: 'vmop.numStandbyGuest.latest',
  VmGuestShutdownEvent: 'vmop.numShutdownGuest.latest',
  VmReconfiguredEvent: 'vmop.numReconfigure.latest',
};
const KEYS: readonly number[] = Object.values(COUNTED).map(counterKey);

export class OperationCounts {
  readonly #counts = new Map<string, Map<number, number>>();

  note(event: Event): void {
    const name = COUNTED[event._typeName ?? ''];
    if (name === undefined) return;
    const places = [event.computeResource?.computeResource, event.datacenter?.datacenter];
    for (const place of places) if (place) this.#count(moRefKey(place), counterKey(name));
  }

  /** All counters of a cluster or datacenter, those that are 0 too. */
  figures(entity: MoRef): MetricValue[] {
    const counts = this.#counts.get(moRefKey(entity));
    return KEYS.map((counter) => ({ counter, instance: '', value: counts?.get(counter) ?? 0 }));
  }

  /** It is there no more. */
  forget(entity: MoRef): void {
    this.#counts.delete(moRefKey(entity));
  }

  #count(entity: string, counter: number): void {
    const counts = this.#counts.get(entity) ?? new Map<number, number>();
    this.#counts.set(entity, counts.set(counter, (counts.get(counter) ?? 0) + 1));
  }
}
