// Admission control of resource pools: why a change would break a guarantee, or undefined when it may be made. Changes nothing.

import { MethodFault } from '@vivarium/vim';
import type { Resources } from './allocation.ts';
import type { PoolSettings, PoolTree } from './pool-tree.ts';
import type { ReservationSettings, ReservationTree } from './reservation-tree.ts';

type Kind = 'cpu' | 'memory';

const KINDS: readonly Kind[] = ['cpu', 'memory'];
const BYTES_PER_MB = 2 ** 20;

/**
 * May a VM with this reservation (memory with its overhead) power on in the pool, or a running one reserve so much more?
 * InsufficientCpuResourcesFault (MHz) or InsufficientMemoryResourcesFault (bytes) when not.
 */
export function findReservationFault(tree: PoolTree, pool: string, request: Resources): MethodFault | undefined {
  const cpu = tree.cpu.unreservedForVm(pool);
  if (request.cpuMhz > 0 && request.cpuMhz > cpu) return insufficientResources('cpu', cpu, request.cpuMhz);
  const memory = tree.memory.unreservedForVm(pool);
  if (request.memoryMB > 0 && request.memoryMB > memory)
    return insufficientResources('memory', memory, request.memoryMB);
  return undefined;
}

/** May a pool with these settings be made below `parent`? */
export function findNewPoolFault(tree: PoolTree, parent: string, settings: PoolSettings): MethodFault | undefined {
  return firstFault((kind) => {
    const unreserved = tree[kind].unreserved(parent);
    const { reservation } = settings[kind];
    if (reservation > unreserved) return insufficientResources(kind, unreserved, reservation);
    return settingsFault(kind, settings[kind]);
  });
}

/** May the pool's settings become these? What its VMs and pools use already must stay covered. */
export function findPoolChangeFault(tree: PoolTree, pool: string, settings: PoolSettings): MethodFault | undefined {
  return firstFault(
    (kind) => settingsFault(kind, settings[kind]) ?? changeFault(tree[kind], kind, pool, settings[kind]),
  );
}

/** May the pool move below `parent`, with all that it has reserved? InvalidArgument when that is itself or below it. */
export function findPoolMoveFault(tree: PoolTree, pool: string, parent: string): MethodFault | undefined {
  if (tree.isWithin(parent, pool)) return new MethodFault('InvalidArgument', { invalidProperty: 'list' });
  return firstFault((kind) => {
    const requested = tree[kind].taken(pool);
    const unreserved = tree[kind].unreservedWithout(pool, parent);
    return requested > unreserved ? insufficientResources(kind, unreserved, requested) : undefined;
  });
}

/** May a running VM with this reservation move from one pool to the other? What both take from a common ancestor counts once. */
export function findVmMoveFault(
  tree: PoolTree,
  from: string,
  to: string,
  reservation: Resources,
): MethodFault | undefined {
  tree.release(from, reservation);
  const fault = findReservationFault(tree, to, reservation);
  tree.reserve(from, reservation);
  return fault;
}

function changeFault(
  tree: ReservationTree,
  kind: Kind,
  pool: string,
  settings: ReservationSettings,
): MethodFault | undefined {
  const used = tree.used(pool);
  const ceiling = Math.min(settings.limit, settings.isExpandable ? Infinity : settings.reservation);
  if (used > ceiling) return insufficientResources(kind, ceiling, used);
  const requested = Math.max(settings.reservation, used) - tree.taken(pool);
  const parent = tree.parentOf(pool);
  if (requested <= 0 || parent === undefined) return undefined;
  const unreserved = tree.unreserved(parent);
  return requested > unreserved ? insufficientResources(kind, unreserved, requested) : undefined;
}

function settingsFault(kind: Kind, { reservation, limit }: ReservationSettings): MethodFault | undefined {
  if (!(reservation >= 0)) return invalid(kind, 'reservation');
  if (limit < reservation) return invalid(kind, 'limit');
  return undefined;
}

function invalid(kind: Kind, property: string): MethodFault {
  return new MethodFault('InvalidArgument', { invalidProperty: `${kind}Allocation.${property}` }) as MethodFault;
}

function insufficientResources(kind: Kind, unreserved: number, requested: number): MethodFault {
  return (
    kind === 'cpu'
      ? new MethodFault('InsufficientCpuResourcesFault', { unreserved, requested })
      : new MethodFault('InsufficientMemoryResourcesFault', {
          unreserved: unreserved * BYTES_PER_MB,
          requested: requested * BYTES_PER_MB,
        })
  ) as MethodFault;
}

function firstFault(check: (kind: Kind) => MethodFault | undefined): MethodFault | undefined {
  for (const kind of KINDS) {
    const fault = check(kind);
    if (fault) return fault;
  }
  return undefined;
}
