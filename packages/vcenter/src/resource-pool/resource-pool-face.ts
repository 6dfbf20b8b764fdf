// The ResourcePool object. So far the root pool of each compute resource: it has what its hosts have.
import { type MoRef, make, type ResourceConfigSpec } from '@vivarium/vim';
import type { EntityFace } from '../publish/publisher.ts';

export function resourcePoolFace(): EntityFace<'ResourcePool'> {
  return {
    handlers: () => ({}),
    properties: (ref, { owner, config, name }) => {
      const shown = config ?? rootConfig(ref, 0, 0);
      const usage = make('ResourcePoolResourceUsage', {
        reservationUsed: 0,
        reservationUsedForVm: 0,
        unreservedForPool: 0,
        unreservedForVm: 0,
        overallUsage: 0,
        maxUsage: 0,
      });
      const runtime = make('ResourcePoolRuntimeInfo', { memory: usage, cpu: usage, overallStatus: 'green' });
      return {
        owner,
        config: shown,
        runtime,
        summary: make('ResourcePoolSummary', { name, config: shown, runtime }),
        resourcePool: [],
        vm: [],
      };
    },
    // A compute resource names its root pool itself.
    listings: ({ parent }) => (parent.type === 'ResourcePool' ? [{ owner: parent, property: 'resourcePool' }] : []),
  };
}

/** All that is there, reserved: what a root pool shows. */
export function rootConfig(entity: MoRef<'ResourcePool'>, cpuMhz: number, memoryMB: number): ResourceConfigSpec {
  const allocation = (all: number) =>
    make('ResourceAllocationInfo', {
      reservation: all,
      expandableReservation: false,
      limit: all,
      shares: make('SharesInfo', { shares: 4000, level: 'normal' }),
    });
  return make('ResourceConfigSpec', {
    entity,
    cpuAllocation: allocation(cpuMhz),
    memoryAllocation: allocation(memoryMB),
  });
}
