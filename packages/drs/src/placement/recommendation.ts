// A placement in the schema's words: recommendations that a client shows, approves or lets vCenter carry out. Pure.

import { type ClusterHostRecommendation, type ClusterRecommendation, type MoRef, make } from '@vivarium/vim';
import type { Placement, RankedHost } from './place-vms.ts';

export interface RecommendationIdentity {
  /** What ApplyRecommendation will name it by. */
  readonly key: string;
  /** When it was made, ISO 8601. */
  readonly time: string;
  /** The cluster. */
  readonly target: MoRef<'ClusterComputeResource'>;
  /** Only when the VM comes into the cluster with it. */
  readonly pool?: MoRef<'ResourcePool'>;
}

/** One VM powers on on the host that was chosen for it. */
export function powerOnRecommendation(placement: Placement, identity: RecommendationIdentity): ClusterRecommendation {
  const { brokenRules } = placement.rank;
  return make('ClusterRecommendation', {
    key: identity.key,
    type: 'V1',
    time: identity.time,
    rating: placement.rating,
    reason: 'powerOnVm',
    reasonText: reasonText(placement),
    warningText: brokenRules > 0 ? `${count(brokenRules, 'optional rule')} of the cluster would be broken.` : undefined,
    action: [
      make('ClusterInitialPlacementAction', {
        type: 'VmPowerV1',
        target: placement.vm.vm,
        targetHost: placement.host,
        pool: identity.pool,
      }),
    ],
    target: identity.target,
  });
}

/** The answer of RecommendHostsForVm. */
export function hostRecommendations(ranked: readonly RankedHost[]): ClusterHostRecommendation[] {
  return ranked.map(({ host, rating }) => make('ClusterHostRecommendation', { host, rating }));
}

function reasonText({ vm, hostName, rank, candidates }: Placement): string {
  return (
    `Power on ${vm.name} on ${hostName}: the demand there becomes ${percent(rank.cpuLoad)} of its CPU and ` +
    `${percent(rank.memoryLoad)} of its memory, with ${count(rank.vmCount, 'running VM')}. ` +
    `${count(candidates, 'host')} could run it.`
  );
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
