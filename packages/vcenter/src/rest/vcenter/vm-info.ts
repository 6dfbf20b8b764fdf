// A VM's configuration as com.vmware.vcenter.VM.info. Pure.
import { isA, type VirtualMachineBootOptions, type VirtualMachineConfigInfo } from '@vivarium/vim';
import type { TypeOf } from '../shape.ts';
import {
  cdromInfos,
  diskInfos,
  floppyInfos,
  nicInfos,
  nvmeAdapterInfos,
  parallelInfos,
  sataAdapterInfos,
  scsiAdapterInfos,
  serialInfos,
} from './device-infos.ts';
import { guestOsOf } from './guest-os.ts';
import type { vmInfo } from './vm-shapes.ts';

type VmInfo = TypeOf<typeof vmInfo>;
export type PowerState = VmInfo['power_state'];

const POWER_STATES: Readonly<Record<string, PowerState>> = {
  poweredOn: 'POWERED_ON',
  poweredOff: 'POWERED_OFF',
  suspended: 'SUSPENDED',
};

export function powerStateOf(state: unknown): PowerState {
  return POWER_STATES[String(state)] ?? 'POWERED_OFF';
}

export function vmInfoOf(config: VirtualMachineConfigInfo, powerState: PowerState, isFrozen?: boolean): VmInfo {
  const { hardware, bootOptions } = config;
  const devices = hardware.device ?? [];
  return {
    guest_OS: guestOsOf(config.guestId),
    name: config.name,
    identity: { name: config.name, bios_uuid: config.uuid, instance_uuid: config.instanceUuid ?? '' },
    power_state: powerState,
    instant_clone_frozen: isFrozen,
    hardware: hardwareOf(config),
    boot: bootOf(config.firmware, bootOptions),
    boot_devices: bootDevicesOf(bootOptions),
    cpu: {
      count: hardware.numCPU,
      cores_per_socket: hardware.numCoresPerSocket ?? 1,
      hot_add_enabled: config.cpuHotAddEnabled ?? false,
      hot_remove_enabled: config.cpuHotRemoveEnabled ?? false,
    },
    memory: {
      size_MiB: hardware.memoryMB,
      hot_add_enabled: config.memoryHotAddEnabled ?? false,
      hot_add_increment_size_MiB: config.hotPlugMemoryIncrementSize,
      hot_add_limit_MiB: config.hotPlugMemoryLimit,
    },
    disks: diskInfos(devices),
    nics: nicInfos(devices),
    cdroms: cdromInfos(devices),
    floppies: floppyInfos(devices),
    parallel_ports: parallelInfos(devices),
    serial_ports: serialInfos(devices),
    sata_adapters: sataAdapterInfos(devices),
    scsi_adapters: scsiAdapterInfos(devices),
    nvme_adapters: nvmeAdapterInfos(devices),
  };
}

const UPGRADE_POLICIES = { never: 'NEVER', onSoftPowerOff: 'AFTER_CLEAN_SHUTDOWN', always: 'ALWAYS' } as const;
const UPGRADE_STATES = { none: 'NONE', pending: 'PENDING', success: 'SUCCESS', failed: 'FAILED' } as const;

function hardwareOf({ version, scheduledHardwareUpgradeInfo: upgrade }: VirtualMachineConfigInfo): VmInfo['hardware'] {
  return {
    version: hardwareVersionOf(version),
    upgrade_policy: UPGRADE_POLICIES[upgrade?.upgradePolicy as keyof typeof UPGRADE_POLICIES] ?? 'NEVER',
    upgrade_version: upgrade?.versionKey === undefined ? undefined : hardwareVersionOf(upgrade.versionKey),
    upgrade_status: UPGRADE_STATES[upgrade?.scheduledHardwareUpgradeStatus as keyof typeof UPGRADE_STATES] ?? 'NONE',
  };
}

/** 'vmx-21' -> 'VMX_21' */
function hardwareVersionOf(version: string): string {
  return version.toUpperCase().replace('-', '_');
}

function bootOf(firmware: string | undefined, options: VirtualMachineBootOptions | undefined): VmInfo['boot'] {
  const isEfi = firmware === 'efi';
  return {
    type: isEfi ? 'EFI' : 'BIOS',
    ...(isEfi ? { efi_legacy_boot: false, network_protocol: protocolOf(options) } : {}),
    delay: options?.bootDelay ?? 0,
    retry: options?.bootRetryEnabled ?? false,
    retry_delay: options?.bootRetryDelay ?? 10_000,
    enter_setup_mode: options?.enterBIOSSetup ?? false,
  };
}

function protocolOf(options: VirtualMachineBootOptions | undefined): 'IPV4' | 'IPV6' {
  return options?.networkBootProtocol === 'ipv6' ? 'IPV6' : 'IPV4';
}

/** Disks in a row are one entry. */
function bootDevicesOf(options: VirtualMachineBootOptions | undefined): VmInfo['boot_devices'] {
  const entries: { type: VmInfo['boot_devices'][number]['type']; nic?: string; disks?: string[] }[] = [];
  for (const device of options?.bootOrder ?? []) {
    const last = entries.at(-1);
    if (isA('VirtualMachineBootOptionsBootableDiskDevice', device)) {
      if (last?.disks) last.disks.push(String(device.deviceKey));
      else entries.push({ type: 'DISK', disks: [String(device.deviceKey)] });
    } else if (isA('VirtualMachineBootOptionsBootableEthernetDevice', device)) {
      entries.push({ type: 'ETHERNET', nic: String(device.deviceKey) });
    } else if (isA('VirtualMachineBootOptionsBootableCdromDevice', device)) entries.push({ type: 'CDROM' });
    else if (isA('VirtualMachineBootOptionsBootableFloppyDevice', device)) entries.push({ type: 'FLOPPY' });
  }
  return entries;
}
