// What a host shows of itself and its VMs, as pure functions of plain data: shared with hosts that are simulated.

export { hostHardware } from './host-system/hardware-info.ts';
export { hostCapability } from './host-system/host-capability.ts';
export { type HostView, hostRuntime, hostSummary } from './host-system/host-properties.ts';
export type { MachineFacts } from './host-system/machine-facts.ts';
export { guestInfo } from './virtual-machine/guest-info.ts';
export { runtimeInfo } from './virtual-machine/runtime-info.ts';
export { heartbeat, overallStatus, summary } from './virtual-machine/summary.ts';
export { vmCapability } from './virtual-machine/vm-capability.ts';
export type { GuestFacts } from './vm/guest-facts.ts';
export { checkPowerState, type PowerState, type VmRequest } from './vm/power-state.ts';
export { memoryOverheadMB } from './vm/vm-demand.ts';
export { type EventSubject, vmEvent, vmReconfigured, vmRenamed } from './vm/vm-events.ts';
export type { VmStats, VmView } from './vm/vm-view.ts';
