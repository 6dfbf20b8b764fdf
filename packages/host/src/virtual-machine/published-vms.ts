// The VMs of a host as managed objects. They come and go with the registry; whoever follows a VM's life hears of it here.
import type { MoRef } from '@vivarium/vim';
import type { Service } from '@vivarium/vmomi';
import type { ConsoleTickets } from '../console/console-tickets.ts';
import { listMembers } from '../inventory/build-tree.ts';
import { poolRef } from '../resource-pool/pool-record.ts';
import type { PublishedPools } from '../resource-pool/publish-pools.ts';
import type { ResourcePools } from '../resource-pool/resource-pools.ts';
import type { Vm } from '../vm/vm.ts';
import type { BrokenVm, VmRegistry, VmRegistryListener } from '../vm/vm-registry.ts';
import { publishInaccessibleVm } from './inaccessible-vm.ts';
import type { VmMethodsContext } from './vm-methods.ts';
import { type PublishedVm, publishVm } from './vm-object.ts';

/** Something of the host's that goes along with its VMs. */
export interface VmFollower {
  /** The VM was listed, or its configuration or its state is another one. */
  follow(vm: Vm, isRunning: boolean): void;
  removed?(vm: Vm): void;
}

export interface PublishedVmsOptions {
  readonly service: Service;
  readonly registry: () => VmRegistry;
  readonly tickets: ConsoleTickets;
  readonly endpoint: VmMethodsContext['endpoint'];
  readonly pools: Pick<ResourcePools, 'poolOf'>;
  readonly publishedPools: PublishedPools;
  readonly followers: readonly VmFollower[];
}

export class PublishedVms implements VmRegistryListener {
  readonly #options: PublishedVmsOptions;
  readonly #objects = new Map<string, PublishedVm>();
  readonly #inaccessible = new Map<string, { remove(): void }>();
  #isLoaded = false;

  constructor(options: PublishedVmsOptions) {
    this.#options = options;
  }

  /** Those that were there at start are all known: the inventory lists them, at once. */
  loaded(): void {
    this.#isLoaded = true;
    this.#list();
  }

  added(vm: Vm): Promise<void> {
    const { service, registry, tickets, endpoint, publishedPools, followers } = this.#options;
    const pool = this.#poolOf(vm.ref);
    const object = publishVm(vm, service, { service, registry: registry(), tickets, endpoint, pool });
    this.#objects.set(vm.id, object);
    const follow = () => {
      const isRunning = vm.power === 'poweredOn';
      for (const follower of followers) follower.follow(vm, isRunning);
    };
    vm.onChange((aspects) => {
      if (aspects.includes('config')) publishedPools.vmChanged(vm);
      if (aspects.includes('config') || aspects.includes('runtime')) follow();
    });
    follow();
    this.#list();
    return object.refreshStorage(); // whoever has made the VM finds its files in layoutEx
  }

  removed(vm: Vm): void {
    for (const follower of this.#options.followers) follower.removed?.(vm);
    this.#objects.get(vm.id)?.remove();
    this.#objects.delete(vm.id);
    this.#list();
  }

  broken(vm: BrokenVm): void {
    const { service, registry } = this.#options;
    const object = publishInaccessibleVm(vm, { service, registry, pool: this.#poolOf(vm.ref) });
    this.#inaccessible.set(vm.ref.value, object);
    this.#list();
  }

  mended({ ref }: BrokenVm): void {
    this.#inaccessible.get(ref.value)?.remove();
    this.#inaccessible.delete(ref.value);
    this.#list();
  }

  #list(): void {
    if (!this.#isLoaded) return;
    const { service, registry, publishedPools } = this.#options;
    listMembers(service.graph, 'VirtualMachine', registry().refs);
    publishedPools.list(registry().refs);
  }

  #poolOf({ value }: MoRef): MoRef<'ResourcePool'> {
    return poolRef(this.#options.pools.poolOf(value));
  }
}
