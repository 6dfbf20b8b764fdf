// VMX -> VirtualMachineConfigInfo. The VMX is the authority: two VMs with the same file have the same configuration.
import {
  type DataTypes,
  isA,
  make,
  type OptionValue,
  type VirtualDevice,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigInfoDatastoreUrlPair,
} from '@vivarium/vim';
import { arrangeDevices } from '../device/arrange-devices.ts';
import { fixedDevices } from '../device/fixed-devices.ts';
import type { VmxEnvironment } from '../environment.ts';
import { guestOfVmxName } from '../guest/guest-os.ts';
import type { VmxFile } from '../text/vmx-file.ts';
import { folderOf, formatDatastorePath, parseDatastorePath } from './datastore-path.ts';
import { deviceFamilies } from './device-families.ts';
import { readConnected } from './devices/connectable.ts';
import { isStructuralKey } from './known-keys.ts';
import { boot } from './topics/boot.ts';
import { flagsAndTools } from './topics/flags-and-tools.ts';
import { identity } from './topics/identity.ts';
import { processorAndMemory } from './topics/processor-and-memory.ts';

/** Never throws for what a file may say: what is not understood is left out or kept in extraConfig. */
export function configFromVmx(vmx: VmxFile, env: VmxEnvironment): VirtualMachineConfigInfo {
  const devices = readDevices(vmx, env);
  const processor = processorAndMemory.read(vmx, devices, env);
  return make('VirtualMachineConfigInfo', {
    ...identity.read(vmx, devices, env),
    npivTemporaryDisabled: true,
    files: readFiles(env.vmPathName),
    ...flagsAndTools.read(vmx, devices, env),
    ...processor,
    extraConfig: readExtraConfig(vmx),
    datastoreUrl: datastoreUrls(devices, env),
    ...boot.read(vmx, devices, env),
    ...constants(),
  });
}

function readDevices(vmx: VmxFile, env: VmxEnvironment): VirtualDevice[] {
  const connected = readConnected(vmx);
  const context = {
    datastores: env.datastores,
    networks: env.networks,
    findDisk: (path: string) => env.findDisk(path),
    vmPathName: env.vmPathName,
    is64Bit: guestOfVmxName(vmx.get('guestOS') ?? 'other').guestId.includes('64'),
    isConnected: (key: number) => connected.has(key),
  };
  const found = deviceFamilies.flatMap((family) => family.read(vmx, context));
  return arrangeDevices([...fixedDevices(), ...found]);
}

function readExtraConfig(vmx: VmxFile): OptionValue[] {
  return Array.from(vmx.entries())
    .filter(({ key }) => !isStructuralKey(key))
    .map(({ key, value }) => make('OptionValue', { key, value }));
}

function readFiles(vmPathName: string) {
  const path = parseDatastorePath(vmPathName);
  const folder = path ? `${formatDatastorePath(folderOf(path))}/` : '';
  return make('VirtualMachineFileInfo', {
    vmPathName,
    snapshotDirectory: folder,
    suspendDirectory: folder,
    logDirectory: folder,
  });
}

function datastoreUrls(
  devices: readonly VirtualDevice[],
  env: VmxEnvironment,
): VirtualMachineConfigInfoDatastoreUrlPair[] {
  const files = devices.flatMap(({ backing }) =>
    isA('VirtualDeviceFileBackingInfo', backing) ? [backing.fileName] : [],
  );
  const used = new Set([env.vmPathName, ...files].map((path) => parseDatastorePath(path)?.datastore));
  return env.datastores
    .filter((datastore) => used.has(datastore.name))
    .map(({ name, url }) => make('VirtualMachineConfigInfoDatastoreUrlPair', { name, url }));
}

/** What vSphere always says and Vivarium has no setting for. */
function constants() {
  return {
    initialOverhead: make('VirtualMachineConfigInfoOverheadInfo', {}),
    scheduledHardwareUpgradeInfo: make('ScheduledHardwareUpgradeInfo', {
      upgradePolicy: 'never',
      scheduledHardwareUpgradeStatus: 'none',
    }),
    vFlashCacheReservation: 0,
    guestIntegrityInfo: make('VirtualMachineGuestIntegrityInfo', { enabled: false }),
    sgxInfo: make('VirtualMachineSgxInfo', { epcSize: 0, flcMode: 'unlocked', requireAttestation: false }),
    ftEncryptionMode: 'ftEncryptionOpportunistic',
    guestMonitoringModeInfo: make('VirtualMachineGuestMonitoringModeInfo', {}),
    sevEnabled: false,
    numaInfo: make('VirtualMachineVirtualNumaInfo', { autoCoresPerNumaNode: true, vnumaOnCpuHotaddExposed: false }),
    pmemFailoverEnabled: false,
    vmxStatsCollectionEnabled: true,
    vmOpNotificationToAppEnabled: false,
    fixedPassthruHotPlugEnabled: false,
    metroFtEnabled: false,
    tdxEnabled: false,
    sevSnpEnabled: false,
  } satisfies Partial<DataTypes['VirtualMachineConfigInfo']>;
}
