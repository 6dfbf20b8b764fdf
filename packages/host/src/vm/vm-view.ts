// What the world may know of a VM at one moment, as plain data: the input of the functions that make API properties.
import type { ManagedObjectReference, VirtualMachineConfigInfo, VirtualMachineQuestionInfo } from '@vivarium/vim';
import type { GuestFacts } from './guest-facts.ts';
import type { PowerState } from './power-state.ts';

export type ToolsState =
  /** No agent has ever spoken from this guest. */
  | 'unknown'
  /** It spoke once, but does not now. */
  | 'notRunning'
  | 'running';

export interface VmStats {
  readonly cpuUsageMhz: number;
  /** What it would have used if it never had to wait for a processor. */
  readonly cpuDemandMhz: number;
  /** Host memory that it takes: what it holds, less what sharing saves. */
  readonly hostMemoryMB: number;
  /** Host memory that it holds. */
  readonly grantedMB: number;
  readonly sharedMB: number;
  readonly swappedMB: number;
  readonly balloonedMB: number;
  /** Memory that the guest works with, by its own word; absent when it does not say. */
  readonly activeMB?: number;
}

export interface VmView {
  readonly ref: ManagedObjectReference<'VirtualMachine'>;
  readonly host: ManagedObjectReference<'HostSystem'>;
  readonly config: VirtualMachineConfigInfo;
  readonly power: PowerState;
  readonly tools: ToolsState;
  readonly guest?: GuestFacts;
  readonly stats?: VmStats;
  readonly question?: VirtualMachineQuestionInfo;
  /** dateTime of the power-on; only while powered on. */
  readonly bootTime?: string;
  /** dateTime of the suspension; only while suspended. */
  readonly suspendTime?: string;
  /** Open screens. */
  readonly consoles: number;
  /** The last machine did not end by the guest's or anybody's wish. */
  readonly crashed: boolean;
  /** The host's CPU clock in MHz. */
  readonly cpuMhz: number;
  /** What is reserved for the VMM besides the guest's memory. */
  readonly overheadMB: number;
  /** What it can use at most, with the limits of its pools; only while powered on. */
  readonly bounds?: { readonly cpuMhz: number; readonly memoryMB: number };
  /** Seconds since the power-on. */
  readonly uptimeSeconds?: number;
}
