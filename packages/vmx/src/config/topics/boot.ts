// Firmware and boot options.
import {
  isA,
  make,
  type VirtualDevice,
  type VirtualMachineBootOptionsBootableDevice,
  type VirtualMachineConfigInfo,
} from '@vivarium/vim';
import { type DrivePlace, placeOf } from '../../device/drive-bus.ts';
import type { VmxFile } from '../../text/vmx-file.ts';
import { FIRST_NIC_KEY } from '../devices/network-adapters.ts';
import type { Topic } from '../topic.ts';
import { readFlag, readInteger, readText, readWord, write } from '../vmx-values.ts';

/** A VMX counts the delay before a retry in seconds, unlike the boot delay; the API has milliseconds for both. */
const DEFAULT_RETRY_SECONDS = 10;

export const boot: Topic<'firmware' | 'bootOptions'> = {
  keys: [
    'firmware',
    'bios.bootdelay',
    'bios.forcesetuponce',
    'bios.bootretry.enabled',
    'bios.bootretry.delay',
    'bios.bootorder',
    'bios.hddorder',
    'bios.networkbootprotocol',
    'uefi.secureboot.enabled',
  ],

  read(vmx, devices) {
    const bootOrder = readBootOrder(vmx, devices);
    return {
      firmware: readWord(vmx, 'firmware', ['bios', 'efi']) ?? 'bios',
      bootOptions: make('VirtualMachineBootOptions', {
        bootDelay: Math.max(0, readInteger(vmx, 'bios.bootDelay') ?? 0),
        enterBIOSSetup: readFlag(vmx, 'bios.forceSetupOnce') ?? false,
        efiSecureBootEnabled: readFlag(vmx, 'uefi.secureBoot.enabled') ?? false,
        bootRetryEnabled: readFlag(vmx, 'bios.bootRetry.enabled') ?? false,
        bootRetryDelay: 1000 * Math.max(0, readInteger(vmx, 'bios.bootRetry.delay') ?? DEFAULT_RETRY_SECONDS),
        bootOrder: bootOrder.length > 0 ? bootOrder : undefined,
        networkBootProtocol: readWord(vmx, 'bios.networkBootProtocol', ['ipv4', 'ipv6']) ?? 'ipv4',
      }),
    };
  },

  write(vmx, config) {
    const options = config.bootOptions;
    write(vmx, 'firmware', config.firmware, 'bios');
    write(vmx, 'bios.bootDelay', options?.bootDelay, 0);
    write(vmx, 'bios.forceSetupOnce', options?.enterBIOSSetup, false);
    write(vmx, 'uefi.secureBoot.enabled', options?.efiSecureBootEnabled, false);
    write(vmx, 'bios.bootRetry.enabled', options?.bootRetryEnabled, false);
    write(vmx, 'bios.bootRetry.delay', Math.ceil((options?.bootRetryDelay ?? 10_000) / 1000), DEFAULT_RETRY_SECONDS);
    write(vmx, 'bios.networkBootProtocol', options?.networkBootProtocol, 'ipv4');
    writeBootOrder(vmx, config);
  },
};

/** `bios.bootOrder = "hdd,ethernet0,cdrom"`, the disks among them in the order of `bios.hddOrder = "scsi0:1,scsi0:0"`. */
function readBootOrder(vmx: VmxFile, devices: readonly VirtualDevice[]): VirtualMachineBootOptionsBootableDevice[] {
  const words = (readText(vmx, 'bios.bootOrder') ?? '').toLowerCase().split(',').slice(0, 64);
  return words.flatMap((word) => bootDevices(word.trim(), vmx, devices));
}

function bootDevices(
  word: string,
  vmx: VmxFile,
  devices: readonly VirtualDevice[],
): VirtualMachineBootOptionsBootableDevice[] {
  if (word === 'cdrom' || word === 'cd') return [make('VirtualMachineBootOptionsBootableCdromDevice', {})];
  if (word === 'floppy' || word === 'fd') return [make('VirtualMachineBootOptionsBootableFloppyDevice', {})];
  const ethernet = /^ethernet(\d{1,2})$/.exec(word)?.[1];
  if (ethernet !== undefined) {
    const deviceKey = FIRST_NIC_KEY + Number(ethernet);
    const isThere = devices.some((device) => device.key === deviceKey);
    return isThere ? [make('VirtualMachineBootOptionsBootableEthernetDevice', { deviceKey })] : [];
  }
  if (word !== 'hdd' && word !== 'hd') return [];
  const names = (readText(vmx, 'bios.hddOrder') ?? '').toLowerCase().split(',');
  return names
    .map((name) => devices.find((device) => isA('VirtualDisk', device) && driveName(device, devices) === name.trim()))
    .filter((disk) => disk !== undefined)
    .map((disk) => make('VirtualMachineBootOptionsBootableDiskDevice', { deviceKey: disk.key }));
}

/** A VMX holds the disks in one place of the order: where the first of them stands. */
function writeBootOrder(vmx: VmxFile, config: VirtualMachineConfigInfo): void {
  const order = config.bootOptions?.bootOrder ?? [];
  const devices = config.hardware.device ?? [];
  const disks: string[] = [];
  const words = new Set<string>();
  for (const entry of order) {
    if (isA('VirtualMachineBootOptionsBootableCdromDevice', entry)) words.add('cdrom');
    if (isA('VirtualMachineBootOptionsBootableFloppyDevice', entry)) words.add('floppy');
    if (isA('VirtualMachineBootOptionsBootableEthernetDevice', entry))
      words.add(`ethernet${entry.deviceKey - FIRST_NIC_KEY}`);
    if (isA('VirtualMachineBootOptionsBootableDiskDevice', entry)) {
      const disk = devices.find((device) => device.key === entry.deviceKey);
      const name = disk && driveName(disk, devices);
      if (name === undefined) continue;
      words.add('hdd');
      disks.push(name);
    }
  }
  write(vmx, 'bios.bootOrder', [...words].join(','), '');
  write(vmx, 'bios.hddOrder', disks.join(','), '');
}

function driveName(drive: VirtualDevice, devices: readonly VirtualDevice[]): string | undefined {
  const place: DrivePlace | undefined = placeOf(drive, devices);
  return place && `${place.bus.name}${place.busNumber}:${place.unit}`;
}
