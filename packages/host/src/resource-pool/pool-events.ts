// The events of resource pools. Pure.
import { make } from '@vivarium/vim';
import { refs } from '../inventory/refs.ts';
import type { NewEvent } from '../vm/vm-host.ts';
import { type PoolRecord, poolRef } from './pool-record.ts';

export interface EventPlace {
  readonly hostName: string;
}

type Pool = Pick<PoolRecord, 'id' | 'name'>;

const filled = { key: 0, chainId: 0, createdTime: '', userName: '' };

function common({ hostName }: EventPlace) {
  return {
    ...filled,
    datacenter: make('DatacenterEventArgument', { name: 'ha-datacenter', datacenter: refs.datacenter }),
    computeResource: make('ComputeResourceEventArgument', { name: hostName, computeResource: refs.computeResource }),
  };
}

function argument({ id, name }: Pool) {
  return make('ResourcePoolEventArgument', { name, resourcePool: poolRef(id) });
}

export function poolCreated(place: EventPlace, pool: Pool, parent: Pool): NewEvent {
  return bare(
    make('ResourcePoolCreatedEvent', { ...common(place), resourcePool: argument(pool), parent: argument(parent) }),
  );
}

export function poolReconfigured(place: EventPlace, pool: Pool): NewEvent {
  return bare(make('ResourcePoolReconfiguredEvent', { ...common(place), resourcePool: argument(pool) }));
}

export function poolMoved(place: EventPlace, pool: Pool, oldParent: Pool, newParent: Pool): NewEvent {
  return bare(
    make('ResourcePoolMovedEvent', {
      ...common(place),
      resourcePool: argument(pool),
      oldParent: argument(oldParent),
      newParent: argument(newParent),
    }),
  );
}

export function poolDestroyed(place: EventPlace, pool: Pool): NewEvent {
  return bare(make('ResourcePoolDestroyedEvent', { ...common(place), resourcePool: argument(pool) }));
}

export function vmMovedToPool(
  place: EventPlace,
  vm: { readonly id: string; readonly name: string },
  oldParent: Pool,
  newParent: Pool,
): NewEvent {
  return bare(
    make('VmResourcePoolMovedEvent', {
      ...common(place),
      host: make('HostEventArgument', { name: place.hostName, host: refs.host }),
      vm: make('VmEventArgument', { name: vm.name, vm: { type: 'VirtualMachine', value: vm.id } }),
      template: false,
      oldParent: argument(oldParent),
      newParent: argument(newParent),
    }),
  );
}

// The log fills in the rest.
function bare<T extends object>(event: T & { readonly _typeName: string }): NewEvent {
  const {
    key: _key,
    chainId: _chain,
    createdTime: _time,
    userName: _user,
    ...rest
  } = event as T & {
    readonly _typeName: string;
    readonly key?: unknown;
    readonly chainId?: unknown;
    readonly createdTime?: unknown;
    readonly userName?: unknown;
  };
  return rest as NewEvent;
}
