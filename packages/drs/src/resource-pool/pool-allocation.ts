// A pool's ResourceAllocationInfo as clients send it: checked, and completed to what the pool then shows. Pure.
// Source: vSphere API, ResourceAllocationInfo, CreateResourcePool, UpdateConfig.
import { MethodFault, make, type ResourceAllocationInfo, type SharesInfo } from '@vivarium/vim';
import { type ShareUnit, sharesOf } from './allocation.ts';

export type PoolResource = 'cpu' | 'memory';

/** vSphere's largest custom number of shares. */
export const MAX_SHARES = 1_000_000;

const units: Readonly<Record<PoolResource, ShareUnit>> = {
  cpu: { of: 'poolCpu' },
  memory: { of: 'poolMemory' },
};

/** Of a new pool: every value must be given. Throws InvalidArgument. */
export function newPoolAllocation(resource: PoolResource, info: ResourceAllocationInfo): ResourceAllocationInfo {
  const { reservation, limit, expandableReservation, shares } = info;
  const isComplete = [reservation, limit, expandableReservation, shares].every((value) => value !== undefined);
  if (!isComplete) throw invalid(resource);
  return changedPoolAllocation(resource, normalPoolAllocation(resource), info);
}

/** `current` with what `info` says. Throws InvalidArgument. */
export function changedPoolAllocation(
  resource: PoolResource,
  current: ResourceAllocationInfo,
  info: ResourceAllocationInfo,
): ResourceAllocationInfo {
  const { reservation = 0, limit = -1, expandableReservation = true } = { ...current, ...given(info) };
  if (!isAmount(reservation)) throw invalid(resource, 'reservation');
  if (limit !== -1 && (!isAmount(limit) || limit < reservation)) throw invalid(resource, 'limit');
  // vCenter's own, and of running VMs only.
  if (info.overheadLimit !== undefined) throw invalid(resource, 'overheadLimit');
  return make('ResourceAllocationInfo', {
    reservation,
    expandableReservation,
    limit,
    shares: info.shares ? checkShares(resource, info.shares) : current.shares,
  });
}

/** Nothing reserved, expandable, no limit, normal shares. */
export function normalPoolAllocation(resource: PoolResource): ResourceAllocationInfo {
  const shares = make('SharesInfo', { level: 'normal', shares: sharesOf(undefined, units[resource]) });
  return make('ResourceAllocationInfo', { reservation: 0, expandableReservation: true, limit: -1, shares });
}

function checkShares(resource: PoolResource, info: SharesInfo): SharesInfo {
  const { level, shares } = info;
  const isCustom = level === 'custom' && Number.isInteger(shares) && shares >= 1 && shares <= MAX_SHARES;
  if (!isCustom && level !== 'low' && level !== 'normal' && level !== 'high') throw invalid(resource, 'shares');
  return make('SharesInfo', { level, shares: sharesOf(info, units[resource]) });
}

function given(info: ResourceAllocationInfo): Partial<ResourceAllocationInfo> {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== undefined));
}

function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function invalid(resource: PoolResource, property?: string): MethodFault<'InvalidArgument'> {
  const allocation = `spec.${resource}Allocation`;
  return new MethodFault('InvalidArgument', { invalidProperty: property ? `${allocation}.${property}` : allocation });
}
