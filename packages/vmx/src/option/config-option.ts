// What EnvironmentBrowser says a VM may be made of, by hardware version.
import {
  make,
  type VirtualHardwareOption,
  type VirtualMachineCapability,
  type VirtualMachineConfigOption,
  type VirtualMachineConfigOptionDescriptor,
} from '@vivarium/vim';
import { formatVersion } from '../config/topics/identity.ts';
import { arrangeDevices } from '../device/arrange-devices.ts';
import { fixedDevices } from '../device/fixed-devices.ts';
import { guestOperatingSystems } from '../guest/guest-os.ts';
import { DEFAULT_HARDWARE_VERSION, hardwareVersions } from '../spec/settings/identity-settings.ts';
import { deviceOptions } from './device-options.ts';
import { guestDescriptor, type OptionLimits } from './guest-descriptor.ts';
import { boolOption, intOption, longOption } from './option-values.ts';

/** Which ESX first had a hardware version, as the client shows it. */
const products: Readonly<Record<number, string>> = {
  4: 'ESX/ESXi 3.x',
  7: 'ESX/ESXi 4.x',
  8: 'ESXi 5.0',
  9: 'ESXi 5.1',
  10: 'ESXi 5.5',
  11: 'ESXi 6.0',
  12: 'Workstation 12',
  13: 'ESXi 6.5',
  14: 'ESXi 6.7',
  15: 'ESXi 6.7 U2',
  16: 'Workstation 15',
  17: 'ESXi 7.0',
  18: 'ESXi 7.0 U1',
  19: 'ESXi 7.0 U2',
  20: 'ESXi 8.0',
  21: 'ESXi 8.0 U2',
  22: 'ESXi 9.0',
};

export function configOptionDescriptors(): VirtualMachineConfigOptionDescriptor[] {
  return hardwareVersions.map((number) =>
    make('VirtualMachineConfigOptionDescriptor', {
      key: formatVersion(number),
      description: `${products[number] ?? ''} virtual machine`,
      createSupported: true,
      defaultConfigOption: number === DEFAULT_HARDWARE_VERSION,
      runSupported: true,
      upgradeSupported: number > (hardwareVersions[0] ?? 0),
    }),
  );
}

/** `key` such as `vmx-21`; absent = the default version. `undefined` for a version that this host has not. */
export function virtualMachineConfigOption(
  key: string | undefined,
  limits: OptionLimits,
): VirtualMachineConfigOption | undefined {
  const version = key || formatVersion(DEFAULT_HARDWARE_VERSION);
  const number = hardwareVersions.find((candidate) => formatVersion(candidate) === version);
  if (number === undefined) return undefined;
  return make('VirtualMachineConfigOption', {
    version,
    description: `${products[number] ?? ''} virtual machine`,
    guestOSDescriptor: guestOperatingSystems.map((guest) => guestDescriptor(guest, limits)),
    guestOSDefaultIndex: guestOperatingSystems.findIndex(({ guestId }) => guestId === 'otherGuest64'),
    hardwareOptions: hardwareOption(number, limits),
    capabilities: capabilities(),
    datastore: make('DatastoreOption', {}),
    defaultDevice: arrangeDevices(fixedDevices()),
    supportedMonitorType: ['release'],
    supportedOvfEnvironmentTransport: [],
    supportedOvfInstallTransport: [],
  });
}

function hardwareOption(hwVersion: number, limits: OptionLimits): VirtualHardwareOption {
  const cpus = Array.from({ length: limits.numCPUs }, (_, index) => index + 1);
  const shares = (perUnit: number) =>
    make('ResourceAllocationOption', {
      sharesOption: make('SharesOption', { sharesOption: intOption(0, 1_000_000, perUnit), defaultLevel: 'normal' }),
    });
  return make('VirtualHardwareOption', {
    hwVersion,
    virtualDeviceOption: deviceOptions(),
    deviceListReadonly: false,
    numCPU: cpus,
    numCoresPerSocket: intOption(1, limits.numCPUs, 1),
    autoCoresPerSocket: boolOption(false),
    numCpuReadonly: false,
    memoryMB: longOption(4, limits.memoryMB, 32),
    numPCIControllers: intOption(1, 1, 1),
    numIDEControllers: intOption(2, 2, 2),
    numUSBControllers: intOption(0, 1, 0),
    numUSBXHCIControllers: intOption(0, 1, 0),
    numSIOControllers: intOption(1, 1, 1),
    numPS2Controllers: intOption(1, 1, 1),
    resourceConfigOption: make('ResourceConfigOption', {
      cpuAllocationOption: shares(1000),
      memoryAllocationOption: shares(10),
    }),
    numSupportedWwnPorts: intOption(0, 0, 0),
    numSupportedWwnNodes: intOption(0, 0, 0),
    numNVDIMMControllers: intOption(0, 0, 0),
    numTPMDevices: intOption(0, 0, 0),
    numWDTDevices: intOption(0, 0, 0),
    numPrecisionClockDevices: intOption(0, 0, 0),
    epcMemoryMB: longOption(0, 0, 0),
    numCpuSimultaneousThreads: intOption(1, 1, 1),
    numNumaNodes: intOption(0, 0, 0),
    numDeviceGroups: intOption(0, 0, 0),
  });
}

/** What a VM of this host can; also VirtualMachine.capability. Snapshots are for a later change and say so here. */
export function capabilities(): VirtualMachineCapability {
  return make('VirtualMachineCapability', {
    snapshotOperationsSupported: false,
    multipleSnapshotsSupported: false,
    snapshotConfigSupported: false,
    poweredOffSnapshotsSupported: false,
    memorySnapshotsSupported: false,
    revertToSnapshotSupported: false,
    quiescedSnapshotsSupported: false,
    disableSnapshotsSupported: false,
    lockSnapshotsSupported: false,
    consolePreferencesSupported: false,
    cpuFeatureMaskSupported: false,
    s1AcpiManagementSupported: true,
    settingScreenResolutionSupported: false,
    toolsAutoUpdateSupported: false,
    vmNpivWwnSupported: false,
    npivWwnOnNonRdmVmSupported: false,
    vmNpivWwnDisableSupported: false,
    vmNpivWwnUpdateSupported: false,
    swapPlacementSupported: true,
    toolsSyncTimeSupported: true,
    virtualMmuUsageSupported: true,
    diskSharesSupported: true,
    bootOptionsSupported: true,
    bootRetryOptionsSupported: true,
    settingVideoRamSizeSupported: true,
    settingDisplayTopologySupported: false,
    recordReplaySupported: false,
    changeTrackingSupported: false,
    multipleCoresPerSocketSupported: true,
    hostBasedReplicationSupported: false,
    guestAutoLockSupported: true,
    memoryReservationLockSupported: true,
    featureRequirementSupported: false,
    poweredOnMonitorTypeChangeSupported: false,
    seSparseDiskSupported: false,
    nestedHVSupported: false,
    vPMCSupported: false,
    secureBootSupported: true,
    perVmEvcSupported: false,
    virtualMmuUsageIgnored: true,
    virtualExecUsageIgnored: true,
    diskOnlySnapshotOnSuspendedVMSupported: false,
    suspendToMemorySupported: false,
    toolsSyncTimeAllowSupported: true,
    sevSupported: false,
    pmemFailoverSupported: false,
    requireSgxAttestationSupported: false,
    changeModeDisksSupported: false,
    vendorDeviceGroupSupported: false,
    sevSnpSupported: false,
    tdxSupported: false,
  });
}
