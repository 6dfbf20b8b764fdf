// The configuration of a cluster that nobody has configured: vCenter's defaults, HA and DRS off.

import { type ClusterConfigInfoEx, make } from '@vivarium/vim';

export function defaultClusterConfig(): ClusterConfigInfoEx {
  return make('ClusterConfigInfoEx', {
    vmSwapPlacement: 'vmDirectory',
    spbmEnabled: false,
    dasConfig: make('ClusterDasConfigInfo', {
      enabled: false,
      vmMonitoring: 'vmMonitoringDisabled',
      hostMonitoring: 'enabled',
      vmComponentProtecting: 'disabled',
      failoverLevel: 1,
      admissionControlPolicy: make('ClusterFailoverLevelAdmissionControlPolicy', { failoverLevel: 1 }),
      admissionControlEnabled: true,
      defaultVmSettings: make('ClusterDasVmSettings', {
        restartPriority: 'medium',
        restartPriorityTimeout: 600,
        isolationResponse: 'none',
        vmToolsMonitoringSettings: make('ClusterVmToolsMonitoringSettings', {
          enabled: false,
          vmMonitoring: 'vmMonitoringDisabled',
          clusterSettings: false,
          failureInterval: 30,
          minUpTime: 120,
          maxFailures: 3,
          maxFailureWindow: -1,
        }),
        vmComponentProtectionSettings: make('ClusterVmComponentProtectionSettings', {
          vmStorageProtectionForAPD: 'disabled',
          enableAPDTimeoutForHosts: false,
          vmTerminateDelayForAPDSec: 180,
          vmReactionOnAPDCleared: 'none',
          vmStorageProtectionForPDL: 'disabled',
        }),
      }),
      hBDatastoreCandidatePolicy: 'allFeasibleDsWithUserPreference',
    }),
    drsConfig: make('ClusterDrsConfigInfo', {
      enabled: false,
      enableVmBehaviorOverrides: true,
      defaultVmBehavior: 'fullyAutomated',
      vmotionRate: 3,
      scaleDescendantsShares: 'disabled',
    }),
    orchestration: make('ClusterOrchestrationInfo', {
      defaultVmReadiness: make('ClusterVmReadiness', { readyCondition: 'none', postReadyDelay: 0 }),
    }),
    dpmConfigInfo: make('ClusterDpmConfigInfo', {
      enabled: false,
      defaultDpmBehavior: 'automated',
      hostPowerActionRate: 3,
    }),
    vsanConfigInfo: make('VsanClusterConfigInfo', {
      enabled: false,
      defaultConfig: make('VsanClusterConfigInfoHostDefaultInfo', { autoClaimStorage: false }),
    }),
    infraUpdateHaConfig: make('ClusterInfraUpdateHaConfigInfo', { enabled: false }),
    proactiveDrsConfig: make('ClusterProactiveDrsConfigInfo', { enabled: false }),
  });
}
