// Running, stopping, resetting and ending a machine.
import type { Qmp, WaitOptions } from './monitor.ts';
import { readFlag, readObject, readText } from './read.ts';

/** QEMU's run states (RunState). */
export const runStates = [
  ...(['debug', 'inmigrate', 'internal-error', 'io-error', 'paused', 'postmigrate', 'prelaunch'] as const),
  ...(['finish-migrate', 'restore-vm', 'running', 'save-vm', 'shutdown', 'suspended', 'watchdog'] as const),
  ...(['guest-panicked', 'colo'] as const),
];
export type RunState = (typeof runStates)[number];

export interface Status {
  readonly state: RunState;
  /** The vCPUs execute. */
  readonly isRunning: boolean;
}

export async function queryStatus(monitor: Qmp, options?: WaitOptions): Promise<Status> {
  const reply = readObject(await monitor.execute('query-status', undefined, options));
  const text = readText(reply, 'status');
  const state = runStates.find((known) => known === text) ?? 'internal-error';
  return { state, isRunning: readFlag(reply, 'running') };
}

/** Lets the vCPUs run; also the retry after an I/O error that stopped them. */
export async function continueMachine(monitor: Qmp): Promise<void> {
  await monitor.execute('cont');
}

/** Presses the power button (ACPI): the guest decides. */
export async function systemPowerdown(monitor: Qmp): Promise<void> {
  await monitor.execute('system_powerdown');
}

export async function systemReset(monitor: Qmp): Promise<void> {
  await monitor.execute('system_reset');
}

/** Ends QEMU: the plug is pulled. Returns when QEMU has taken the order; the process ends a little later. */
export async function quit(monitor: Qmp): Promise<void> {
  await monitor.execute('quit');
}
