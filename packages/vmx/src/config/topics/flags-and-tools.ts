// Switches of the VM, of VMware Tools, and of what the power buttons mean.
import { make } from '@vivarium/vim';
import type { VmxFile } from '../../text/vmx-file.ts';
import type { Topic } from '../topic.ts';
import { readFlag, readInteger, readText, readWord, write } from '../vmx-values.ts';

type Part =
  | 'tools'
  | 'flags'
  | 'defaultPowerOps'
  | 'rebootPowerOff'
  | 'vAssertsEnabled'
  | 'changeTrackingEnabled'
  | 'maxMksConnections'
  | 'guestAutoLockEnabled'
  | 'messageBusTunnelEnabled'
  | 'migrateEncryption';

/** field of ToolsConfigInfo -> VMX key and what absence means */
const toolsSwitches = {
  afterPowerOn: ['toolScripts.afterPowerOn', true],
  afterResume: ['toolScripts.afterResume', true],
  beforeGuestStandby: ['toolScripts.beforeSuspend', true],
  beforeGuestShutdown: ['toolScripts.beforePowerOff', true],
  beforeGuestReboot: ['toolScripts.beforeReboot', false],
  syncTimeWithHost: ['tools.syncTime', false],
  syncTimeWithHostAllowed: ['time.synchronize.allow', true],
} as const;

/** field of VirtualMachineFlagInfo -> VMX key and what absence means */
const flagSwitches = {
  disableAcceleration: ['disable_acceleration', false],
  enableLogging: ['logging', true],
  useToe: ['useToe', false],
  runWithDebugInfo: ['vmx.runWithDebugInfo', false],
  snapshotDisabled: ['snapshot.disabled', false],
  snapshotLocked: ['snapshot.locked', false],
  diskUuidEnabled: ['disk.EnableUUID', false],
  cbrcCacheEnabled: ['sched.mem.cbrc', false],
  vvtdEnabled: ['vvtd.enable', false],
  vbsEnabled: ['windows.vbs.enabled', false],
} as const;

/** field of VirtualMachineFlagInfo -> VMX key and words; the first is what absence means */
const flagWords = {
  monitorType: ['monitor', ['release', 'debug', 'stats']],
  htSharing: ['sched.cpu.htsharing', ['any', 'none', 'internal']],
  virtualMmuUsage: ['monitor.virtual_mmu', ['automatic', 'on', 'off']],
  virtualExecUsage: ['monitor.virtual_exec', ['hvAuto', 'hvOn', 'hvOff']],
  snapshotPowerOffBehavior: ['snapshot.action', ['powerOff', 'revert', 'prompt', 'take']],
} as const;

/** field of VirtualMachineDefaultPowerOpInfo -> VMX key and the type that `preset` means */
const powerOps = {
  powerOffType: ['powerType.powerOff', 'soft'],
  suspendType: ['powerType.suspend', 'hard'],
  resetType: ['powerType.reset', 'soft'],
} as const;
const powerWords = ['soft', 'hard', 'preset'] as const;

export const flagsAndTools: Topic<Part> = {
  keys: [
    ...[...Object.values(toolsSwitches), ...Object.values(flagSwitches), ...Object.values(flagWords)].map(([key]) =>
      key.toLowerCase(),
    ),
    ...Object.values(powerOps).map(([key]) => key.toLowerCase()),
    'tools.upgrade.policy',
    'chipset.onlinestandby',
    'vivarium.rebootpoweroff',
    'vassert.enable',
    'ctkenabled',
    'remotedisplay.maxconnections',
    'tools.guest.desktop.autolock',
    'msg.tunnel.enabled',
    'migrate.encryptionmode',
  ],

  read(vmx) {
    return {
      tools: make('ToolsConfigInfo', {
        toolsVersion: 0,
        lastInstallInfo: make('ToolsConfigInfoToolsLastInstallInfo', { counter: 0 }), // nothing was ever installed from here
        ...readSwitches(vmx, toolsSwitches),
        toolsUpgradePolicy: readWord(vmx, 'tools.upgrade.policy', ['manual', 'upgradeAtPowerCycle']) ?? 'manual',
      }),
      flags: make('VirtualMachineFlagInfo', {
        ...readSwitches(vmx, flagSwitches),
        ...readWords(vmx, flagWords),
        recordReplayEnabled: false,
        faultToleranceType: 'unset',
      }),
      defaultPowerOps: make('VirtualMachineDefaultPowerOpInfo', {
        powerOffType: readPowerOp(vmx, 'powerOffType'),
        suspendType: readPowerOp(vmx, 'suspendType'),
        resetType: readPowerOp(vmx, 'resetType'),
        defaultPowerOffType: powerOps.powerOffType[1],
        defaultSuspendType: powerOps.suspendType[1],
        defaultResetType: powerOps.resetType[1],
        standbyAction: readFlag(vmx, 'chipset.onlineStandby') ? 'powerOnSuspend' : 'checkpoint',
      }),
      rebootPowerOff: readFlag(vmx, 'vivarium.rebootPowerOff') ?? false,
      vAssertsEnabled: readFlag(vmx, 'vassert.enable') ?? false,
      changeTrackingEnabled: readFlag(vmx, 'ctkEnabled') ?? false,
      maxMksConnections: readInteger(vmx, 'RemoteDisplay.maxConnections') ?? -1,
      guestAutoLockEnabled: readFlag(vmx, 'tools.guest.desktop.autolock') ?? false,
      messageBusTunnelEnabled: readFlag(vmx, 'msg.tunnel.enabled') ?? false,
      migrateEncryption:
        readWord(vmx, 'migrate.encryptionMode', ['disabled', 'opportunistic', 'required']) ?? 'opportunistic',
    };
  },

  write(vmx, config) {
    writeAll(vmx, config.tools, toolsSwitches);
    write(vmx, 'tools.upgrade.policy', config.tools?.toolsUpgradePolicy, 'manual');
    writeAll(vmx, config.flags, flagSwitches);
    for (const [field, [key, words]] of Object.entries(flagWords)) {
      write(vmx, key, (config.flags as Record<string, string | undefined>)[field], words[0]); // fields of the table above
    }
    const ops = config.defaultPowerOps;
    write(vmx, 'powerType.powerOff', ops.powerOffType, powerOps.powerOffType[1]);
    write(vmx, 'powerType.suspend', ops.suspendType, powerOps.suspendType[1]);
    write(vmx, 'powerType.reset', ops.resetType, powerOps.resetType[1]);
    write(vmx, 'chipset.onlineStandby', ops.standbyAction === 'powerOnSuspend', false);
    write(vmx, 'vivarium.rebootPowerOff', config.rebootPowerOff, false);
    write(vmx, 'vassert.enable', config.vAssertsEnabled, false);
    write(vmx, 'ctkEnabled', config.changeTrackingEnabled, false);
    write(vmx, 'RemoteDisplay.maxConnections', config.maxMksConnections, -1);
    write(vmx, 'tools.guest.desktop.autolock', config.guestAutoLockEnabled, false);
    write(vmx, 'msg.tunnel.enabled', config.messageBusTunnelEnabled, false);
    write(vmx, 'migrate.encryptionMode', config.migrateEncryption, 'opportunistic');
  },
};

type Switches = Readonly<Record<string, readonly [key: string, absence: boolean]>>;

function readSwitches<T extends Switches>(vmx: VmxFile, table: T): Record<keyof T, boolean> {
  const entries = Object.entries(table).map(([field, [key, absence]]) => [field, readFlag(vmx, key) ?? absence]);
  return Object.fromEntries(entries) as Record<keyof T, boolean>; // one entry for each field of the table
}

function readWords<T extends Readonly<Record<string, readonly [string, readonly string[]]>>>(
  vmx: VmxFile,
  table: T,
): Record<keyof T, string> {
  const entries = Object.entries(table).map(([field, [key, words]]) => [field, readWord(vmx, key, words) ?? words[0]]);
  return Object.fromEntries(entries) as Record<keyof T, string>; // one entry for each field of the table
}

function readPowerOp(vmx: VmxFile, field: keyof typeof powerOps): string {
  const [key, preset] = powerOps[field];
  return readText(vmx, key)?.toLowerCase() === 'default' ? 'preset' : (readWord(vmx, key, powerWords) ?? preset);
}

function writeAll(vmx: VmxFile, values: object | undefined, table: Switches): void {
  for (const [field, [key, absence]] of Object.entries(table)) {
    write(vmx, key, (values as Record<string, boolean | undefined> | undefined)?.[field], absence); // fields of the table
  }
}
