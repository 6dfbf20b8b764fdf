// Which methods of a host's managers vCenter passes on to the host. A table, by managed type.
export const FORWARDED_MANAGER_METHODS: Readonly<Record<string, readonly string[]>> = {
  OptionManager: ['QueryOptions', 'UpdateOptions'],
  HostAutoStartManager: ['ReconfigureAutostart', 'AutoStartPowerOn', 'AutoStartPowerOff'],
  HostCertificateManager: ['ListCACertificates', 'ListCACertificateRevocationLists', 'RetrieveCertificateInfoList'],
  HostDatastoreSystem: [
    'CreateLocalDatastore',
    'CreateNasDatastore',
    'QueryAvailableDisksForVmfs',
    'RemoveDatastore',
    'ConfigureDatastorePrincipal',
  ],
  HostDateTimeSystem: ['QueryAvailableTimeZones', 'QueryDateTime', 'RefreshDateTimeSystem', 'UpdateDateTimeConfig'],
  HostFirewallSystem: ['DisableRuleset', 'EnableRuleset', 'RefreshFirewall', 'UpdateDefaultPolicy', 'UpdateRuleset'],
  HostNetworkSystem: [
    'AddPortGroup',
    'AddVirtualSwitch',
    'QueryNetworkHint',
    'RefreshNetworkSystem',
    'RemovePortGroup',
    'RemoveVirtualSwitch',
    'UpdateNetworkConfig',
    'UpdatePortGroup',
    'UpdateVirtualSwitch',
  ],
  HostServiceSystem: ['RefreshServices', 'RestartService', 'StartService', 'StopService', 'UpdateServicePolicy'],
  HostStorageSystem: ['RefreshStorageSystem', 'RescanAllHba', 'RescanHba', 'RescanVmfs'],
  HostVirtualNicManager: ['QueryNetConfig'],
};
