// Firmware and boot options of a spec.
import {
  isA,
  type VirtualMachineBootOptionsBootableDevice,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { DeviceDraft } from '../device-draft.ts';
import { checkRange, invalidArgument } from '../invalid-argument.ts';

const MAX_DELAY_MS = 1_000_000;

/** `draft` knows which device of the spec has which key now. */
export function applyBoot(
  config: VirtualMachineConfigInfo,
  spec: VirtualMachineConfigSpec,
  draft: DeviceDraft,
): VirtualMachineConfigInfo {
  const firmware = spec.firmware ?? config.firmware ?? 'bios';
  if (firmware !== 'bios' && firmware !== 'efi') throw invalidArgument('firmware');
  const { bootOrder, ...wanted } = spec.bootOptions ?? {};
  const options = { ...config.bootOptions, ...wanted };
  checkRange(options.bootDelay ?? 0, 0, MAX_DELAY_MS, 'bootOptions.bootDelay');
  checkRange(options.bootRetryDelay ?? 0, 0, MAX_DELAY_MS, 'bootOptions.bootRetryDelay');
  if (options.efiSecureBootEnabled && firmware === 'bios') {
    if (wanted.efiSecureBootEnabled) throw invalidArgument('bootOptions.efiSecureBootEnabled');
    options.efiSecureBootEnabled = false;
  }
  if (!['ipv4', 'ipv6', undefined].includes(options.networkBootProtocol)) {
    throw invalidArgument('bootOptions.networkBootProtocol');
  }
  if (bootOrder) options.bootOrder = checkOrder(bootOrder, draft);
  return { ...config, firmware, bootOptions: options };
}

/** An entry of the base type says nothing; an order of nothing else ends the order (govc device.boot -order -). */
function checkOrder(order: readonly VirtualMachineBootOptionsBootableDevice[], draft: DeviceDraft) {
  return order.flatMap((entry) => {
    const isDisk = isA('VirtualMachineBootOptionsBootableDiskDevice', entry);
    if (isDisk || isA('VirtualMachineBootOptionsBootableEthernetDevice', entry)) {
      const deviceKey = draft.keyOf(entry.deviceKey);
      const device = draft.find(deviceKey);
      if (!isA(isDisk ? 'VirtualDisk' : 'VirtualEthernetCard', device)) throw invalidArgument('bootOptions.bootOrder');
      return [{ ...entry, deviceKey }];
    }
    return entry._typeName === 'VirtualMachineBootOptionsBootableDevice' || entry._typeName === undefined
      ? []
      : [entry];
  });
}
