// Firmware: SeaBIOS, or OVMF with its variables in a file of the VM's folder; boot delay and menu.
import { insideFolder } from './block-nodes.ts';
import type { BlockNode } from './device.ts';
import type { Firmware, HostBinding, Machine } from './model.ts';
import { optionText } from './option-text.ts';

type Efi = Extract<Firmware, { kind: 'efi' }>;

/** Paths inside the runtime root: code, and the template from which a VM's nvram file is made (copy it, then open it to the VMM). */
export function efiImages({ secureBoot }: Pick<Efi, 'secureBoot'>): { code: string; nvramTemplate: string } {
  return secureBoot
    ? { code: '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd', nvramTemplate: '/usr/share/OVMF/OVMF_VARS_4M.ms.fd' }
    : { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', nvramTemplate: '/usr/share/OVMF/OVMF_VARS_4M.fd' };
}

const PFLASH = { code: 'pflash-code', variables: 'pflash-variables' } as const;

export function firmwareNodes({ firmware }: Machine, binding: HostBinding): BlockNode[] {
  if (firmware.kind === 'bios') return [];
  const flash = (name: string, filename: string, readOnly: boolean): BlockNode => ({
    driver: 'raw',
    'node-name': name,
    'read-only': readOnly,
    file: { driver: 'file', filename, 'read-only': readOnly, ...(readOnly ? {} : { locking: 'on' }) },
  });
  return [
    flash(PFLASH.code, `${binding.runtimeFolder ?? ''}${efiImages(firmware).code}`, true),
    flash(PFLASH.variables, insideFolder(binding.vmFolder, firmware.nvram), false),
  ];
}

/** Properties of `-machine`. Secure boot needs system management mode; without it SMM only costs time. */
export function firmwareMachineProperties({ firmware }: Machine): Record<string, string | boolean> {
  if (firmware.kind === 'bios') return { smm: false };
  return { smm: firmware.secureBoot, pflash0: PFLASH.code, pflash1: PFLASH.variables };
}

/** With secure boot only code in system management mode may change the variables. */
export function firmwareGlobals({ firmware }: Machine): { driver: string; property: string; value: string }[] {
  if (firmware.kind === 'bios' || !firmware.secureBoot) return [];
  return [{ driver: 'cfi.pflash01', property: 'secure', value: 'on' }];
}

/** Both firmwares read the menu time as 16 bits of milliseconds. */
const LONGEST_WAIT_MS = 65_535;

/** `-boot`: the delay is the time for which the boot menu can be called up. */
export function bootOptions({ bootDelayMs, enterSetup }: Machine): string | undefined {
  const waitMs = enterSetup ? LONGEST_WAIT_MS : Math.min(LONGEST_WAIT_MS, Math.max(0, Math.round(bootDelayMs)));
  return waitMs === 0 ? undefined : optionText('', { menu: true, 'splash-time': waitMs });
}
