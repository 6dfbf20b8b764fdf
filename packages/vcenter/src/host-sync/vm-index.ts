// The inventory's VMs by instance UUID and by host; kept by the inventory's changes.
import { type MoRef, moRef } from '@vivarium/vim';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { Inventory } from '../inventory/inventory.ts';

type VmEntry = readonly [MoRef<'VirtualMachine'>, EntityRecord<'VirtualMachine'>];

export class VmIndex {
  readonly #inventory: Inventory;
  readonly #byUuid = new Map<string, string>();
  readonly #byHost = new Map<string, Set<string>>();

  constructor(inventory: Inventory) {
    this.#inventory = inventory;
    for (const [ref, record] of inventory.ofType('VirtualMachine')) this.#add(ref.value, record);
    inventory.onChange(({ ref, before, after }) => {
      if ((ref as { type: string }).type !== 'VirtualMachine') return;
      if (before) this.#remove(ref.value, before as EntityRecord<'VirtualMachine'>);
      if (after) this.#add(ref.value, after as EntityRecord<'VirtualMachine'>);
    });
  }

  withUuid(instanceUuid: string): VmEntry | undefined {
    const id = this.#byUuid.get(instanceUuid);
    return id === undefined ? undefined : this.#entry(id);
  }

  onHost(host: MoRef<'HostSystem'>): VmEntry[] {
    return [...(this.#byHost.get(host.value) ?? [])].flatMap((id) => {
      const entry = this.#entry(id);
      return entry ? [entry] : [];
    });
  }

  #entry(id: string): VmEntry | undefined {
    const ref = moRef('VirtualMachine', id);
    const record = this.#inventory.find(ref);
    return record && [ref, record];
  }

  #add(id: string, { instanceUuid, host }: EntityRecord<'VirtualMachine'>): void {
    if (instanceUuid !== '') this.#byUuid.set(instanceUuid, id);
    const peers = this.#byHost.get(host.value) ?? new Set();
    this.#byHost.set(host.value, peers.add(id));
  }

  #remove(id: string, { instanceUuid, host }: EntityRecord<'VirtualMachine'>): void {
    if (this.#byUuid.get(instanceUuid) === id) this.#byUuid.delete(instanceUuid);
    const peers = this.#byHost.get(host.value);
    peers?.delete(id);
    if (peers?.size === 0) this.#byHost.delete(host.value);
  }
}
