// HostSystem.capability: what this host can do, said openly. Pure.
import { type HostCapability, make } from '@vivarium/vim';

type Flag = {
  [K in keyof HostCapability]-?: boolean extends HostCapability[K]
    ? undefined extends HostCapability[K]
      ? never
      : K
    : never;
}[keyof HostCapability];

const flags: Readonly<Record<Flag, boolean>> = {
  recursiveResourcePoolsSupported: true,
  cpuMemoryResourceConfigurationSupported: true,
  rebootSupported: false,
  shutdownSupported: false,
  vmotionSupported: false,
  standbySupported: false,
  datastorePrincipalSupported: false,
  sanSupported: false,
  nfsSupported: false,
  iscsiSupported: false,
  vlanTaggingSupported: true,
  nicTeamingSupported: false,
  highGuestMemSupported: true,
  maintenanceModeSupported: true,
  suspendedRelocateSupported: false,
  restrictedSnapshotRelocateSupported: false,
  perVmSwapFiles: false,
  localSwapDatastoreSupported: false,
  unsharedSwapVMotionSupported: false,
  backgroundSnapshotsSupported: false,
  preAssignedPCIUnitNumbersSupported: false,
  screenshotSupported: true,
  scaledScreenshotSupported: false,
  storageVMotionSupported: false,
  vmotionWithStorageVMotionSupported: false,
  hbrNicSelectionSupported: false,
  vrNfcNicSelectionSupported: false,
  recordReplaySupported: false,
  ftSupported: false,
  smpFtSupported: false,
  cloneFromSnapshotSupported: false,
  deltaDiskBackingsSupported: false,
  perVMNetworkTrafficShapingSupported: false,
  tpmSupported: false,
  virtualExecUsageSupported: false,
  storageIORMSupported: false,
  vStorageCapable: false,
  snapshotRelayoutSupported: false,
  vmfsDatastoreMountCapable: false,
  eightPlusHostVmfsSharedAccessSupported: false,
  nestedHVSupported: false,
  vPMCSupported: false,
  interVMCommunicationThroughVMCISupported: false,
  featureCapabilitiesSupported: false,
  latencySensitivitySupported: false,
  accel3dSupported: false,
  provisioningNicSelectionSupported: false,
};

/** Flags that a host may leave out: it says them all the same, for clients take silence for anything. */
const optionalFlags = {
  ipmiSupported: false,
  loginBySSLThumbprintSupported: false,
  firewallIpRulesSupported: false,
  servicePackageInfoSupported: false,
  scheduledHardwareUpgradeSupported: false,
  storagePolicySupported: false,
  multipleNetworkStackInstanceSupported: false,
  messageBusProxySupported: false,
  vsanSupported: false,
  vFlashSupported: false,
  hostAccessManagerSupported: false,
  nfs41Supported: false,
  turnDiskLocatorLedSupported: false,
  virtualVolumeDatastoreSupported: false,
  markAsSsdSupported: false,
  markAsLocalSupported: false,
  smartCardAuthenticationSupported: false,
  pMemSupported: false,
  cryptoSupported: false,
  encryptedVMotionSupported: false,
  quickBootSupported: false,
  assignableHardwareSupported: false,
  suspendToMemorySupported: false,
  vmDirectPathGen2Supported: false,
  uefiSecureBoot: false,
} as const satisfies Partial<HostCapability>;

export interface HostLimits {
  readonly maxRunningVms: number;
  readonly maxVcpus: number;
  readonly maxVmMemoryMB?: number;
}

export function hostCapability(limits: HostLimits): HostCapability {
  return make('HostCapability', {
    ...flags,
    ...optionalFlags,
    maxSupportedVcpus: limits.maxVcpus,
    maxHostSupportedVcpus: limits.maxVcpus,
    maxRunningVMs: limits.maxRunningVms,
    maxHostRunningVms: limits.maxRunningVms,
    maxSupportedVmMemory: limits.maxVmMemoryMB,
  });
}
