// What CreateCluster(Ex) makes of its specification.
import { type ClusterConfigInfoEx, type ClusterConfigSpec, type ClusterConfigSpecEx, isA } from '@vivarium/vim';
import { emptyClusterConfiguration } from '../folder/create-entity.ts';

export function clusterConfiguration(spec: ClusterConfigSpec | ClusterConfigSpecEx): ClusterConfigInfoEx {
  return changedConfiguration(emptyClusterConfiguration(), spec);
}

/** The parts that a specification names replace those of before. */
export function changedConfiguration(
  before: ClusterConfigInfoEx,
  spec: ClusterConfigSpec | ClusterConfigSpecEx,
): ClusterConfigInfoEx {
  const ex: Partial<ClusterConfigSpecEx> = isA('ClusterConfigSpecEx', spec) ? spec : {};
  return {
    ...before,
    dasConfig: { ...before.dasConfig, ...spec.dasConfig },
    drsConfig: { ...before.drsConfig, ...spec.drsConfig },
    ...(ex.dpmConfig ? { dpmConfigInfo: { ...before.dpmConfigInfo, ...ex.dpmConfig } } : {}),
  } as ClusterConfigInfoEx;
}
