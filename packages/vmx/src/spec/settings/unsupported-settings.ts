// Settings that a spec may carry and Vivarium has not. Clients send the "off" values as a matter of course, so those pass;
// everything else is refused instead of being forgotten.
import { MethodFault, type VirtualMachineConfigSpec } from '@vivarium/vim';

type Harmless = (value: never) => boolean;

const isOff = (value: unknown) => value === false;
const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;
const never = () => false;

const unsupported = {
  npivNodeWorldWideName: isEmpty,
  npivPortWorldWideName: isEmpty,
  npivDesiredNodeWwns: (value: number) => value === 0,
  npivDesiredPortWwns: (value: number) => value === 0,
  vcpuConfig: isEmpty,
  cpuFeatureMask: isEmpty,
  networkShaper: (value: { enabled?: boolean }) => value.enabled !== true,
  vAppConfig: never,
  vAppConfigRemoved: never,
  ftInfo: never,
  repConfig: never,
  scheduledHardwareUpgradeInfo: (value: { upgradePolicy?: string }) => (value.upgradePolicy ?? 'never') === 'never',
  crypto: (value: { _typeName?: string }) => value._typeName === 'CryptoSpecNoOp',
  sgxInfo: (value: { epcSize: number }) => value.epcSize === 0,
  guestMonitoringModeInfo: (value: { gmmFile?: string; gmmAppliance?: string }) =>
    !value.gmmFile && !value.gmmAppliance,
  sevEnabled: isOff,
  sevSnpEnabled: isOff,
  tdxEnabled: isOff,
  virtualNuma: (value: { coresPerNumaNode?: number; exposeVnumaOnCpuHotadd?: boolean }) =>
    !value.coresPerNumaNode && value.exposeVnumaOnCpuHotadd !== true,
  motherboardLayout: (value: string) => value === 'i440bxHostBridge',
  pmemFailoverEnabled: isOff,
  vmOpNotificationToAppEnabled: isOff,
  changeTrackingEnabled: isOff,
  simultaneousThreads: (value: number) => value <= 1,
  pmem: never,
  deviceGroups: never,
  fixedPassthruHotPlugEnabled: isOff,
  metroFtEnabled: isOff,
} satisfies { [K in keyof VirtualMachineConfigSpec]?: Harmless };

/** Throws NotSupported with the setting's name in the message. */
export function refuseUnsupported(spec: VirtualMachineConfigSpec): void {
  for (const [name, isHarmless] of Object.entries(unsupported)) {
    const value: unknown = spec[name as keyof typeof unsupported]; // the keys of the table
    if (value !== undefined && !isHarmless(value as never)) {
      throw new MethodFault('NotSupported', {}, `The setting '${name}' of a virtual machine is not supported.`);
    }
  }
}
