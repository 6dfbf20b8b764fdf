// Settings that a spec may carry and Vivarium has not. Clients send the "off" values as a matter of course, so those pass;
// everything else is refused instead of being forgotten.
import { isA, MethodFault, type VirtualDeviceConfigSpec, type VirtualMachineConfigSpec } from '@vivarium/vim';

type Harmless = (value: never) => boolean;

const isOff = (value: unknown) => value === false;
const isOn = (value: unknown) => value === true;
const isZero = (value: unknown) => value === 0;
const isBlank = (value: unknown) => value === '';
const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;
const never = () => false;
/** A storage policy of its own is vCenter's to judge; "none" and "the default" ask for nothing. */
const isNoProfile = (value: object) => !isA('VirtualMachineDefinedProfileSpec', value);
const isNoCrypto = (value: { _typeName?: string }) => value._typeName === 'CryptoSpecNoOp';

/** What the other files of this folder and apply-config-spec.ts apply. A setting that is new in the schema is in neither list. */
type Applied =
  | '_typeName'
  | 'dynamicType'
  | 'dynamicProperty'
  | 'changeVersion'
  | 'name'
  | 'version'
  | 'createDate'
  | 'uuid'
  | 'instanceUuid'
  | 'locationId'
  | 'guestId'
  | 'alternateGuestName'
  | 'annotation'
  | 'files'
  | 'tools'
  | 'flags'
  | 'powerOpInfo'
  | 'rebootPowerOff'
  | 'numCPUs'
  | 'numCoresPerSocket'
  | 'memoryMB'
  | 'memoryHotAddEnabled'
  | 'cpuHotAddEnabled'
  | 'cpuHotRemoveEnabled'
  | 'virtualICH7MPresent'
  | 'virtualSMCPresent'
  | 'deviceChange'
  | 'cpuAllocation'
  | 'memoryAllocation'
  | 'latencySensitivity'
  | 'cpuAffinity'
  | 'memoryAffinity'
  | 'extraConfig'
  | 'swapPlacement'
  | 'bootOptions'
  | 'vAssertsEnabled'
  | 'firmware'
  | 'maxMksConnections'
  | 'guestAutoLockEnabled'
  | 'managedBy'
  | 'memoryReservationLockedToMax'
  | 'nestedHVEnabled'
  | 'vPMCEnabled'
  | 'messageBusTunnelEnabled'
  | 'migrateEncryption';

const unsupported = {
  npivNodeWorldWideName: isEmpty,
  npivPortWorldWideName: isEmpty,
  npivWorldWideNameType: isBlank,
  npivWorldWideNameOp: (value: string) => value === 'remove',
  npivDesiredNodeWwns: isZero,
  npivDesiredPortWwns: isZero,
  npivTemporaryDisabled: isOn,
  npivOnNonRdmDisks: isOff,
  consolePreferences: (value: object) => Object.values(value).every((preference) => preference !== true),
  vcpuConfig: isEmpty,
  cpuFeatureMask: isEmpty,
  networkShaper: (value: { enabled?: boolean }) => value.enabled !== true,
  vAppConfig: never,
  vAppConfigRemoved: isOff,
  ftInfo: never,
  repConfig: never,
  changeTrackingEnabled: isOff,
  scheduledHardwareUpgradeInfo: (value: { upgradePolicy?: string }) => (value.upgradePolicy ?? 'never') === 'never',
  vmProfile: (value: readonly object[]) => value.every(isNoProfile),
  crypto: isNoCrypto,
  sgxInfo: (value: { epcSize: number }) => value.epcSize === 0,
  ftEncryptionMode: (value: string) => value === 'ftEncryptionOpportunistic',
  guestMonitoringModeInfo: (value: { gmmFile?: string; gmmAppliance?: string }) =>
    !value.gmmFile && !value.gmmAppliance,
  sevEnabled: isOff,
  sevSnpEnabled: isOff,
  tdxEnabled: isOff,
  virtualNuma: (value: { coresPerNumaNode?: number; exposeVnumaOnCpuHotadd?: boolean }) =>
    !value.coresPerNumaNode && value.exposeVnumaOnCpuHotadd !== true,
  motherboardLayout: (value: string) => value === 'i440bxHostBridge',
  pmemFailoverEnabled: isOff,
  vmxStatsCollectionEnabled: isOn,
  vmOpNotificationToAppEnabled: isOff,
  vmOpNotificationTimeout: (value: number) => value <= 0,
  deviceSwap: (value: { lsiToPvscsi?: { enabled?: boolean } }) => value.lsiToPvscsi?.enabled !== true,
  simultaneousThreads: (value: number) => value <= 1,
  pmem: never,
  deviceGroups: never,
  fixedPassthruHotPlugEnabled: isOff,
  metroFtEnabled: isOff,
  metroFtHostGroup: isBlank,
} satisfies { [K in Exclude<keyof VirtualMachineConfigSpec, Applied>]-?: Harmless };

/** Throws NotSupported with the setting's name in the message. */
export function refuseUnsupported(spec: VirtualMachineConfigSpec): void {
  for (const [name, isHarmless] of Object.entries(unsupported)) {
    const value: unknown = spec[name as keyof typeof unsupported]; // the keys of the table
    if (value !== undefined && !isHarmless(value as never)) {
      throw new MethodFault('NotSupported', {}, `The setting '${name}' of a virtual machine is not supported.`);
    }
  }
}

/** The same for one entry of deviceChange. */
export function refuseUnsupportedDevice({ profile, backing, filterSpec }: VirtualDeviceConfigSpec): void {
  const isPlain = (profile ?? []).every(isNoProfile) && (!backing?.crypto || isNoCrypto(backing.crypto));
  if (!isPlain || !isEmpty(filterSpec ?? [])) {
    throw new MethodFault(
      'NotSupported',
      {},
      'Storage policies, encryption and I/O filters of disks are not supported.',
    );
  }
}
