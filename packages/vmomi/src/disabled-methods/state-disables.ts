// ManagedEntity.disabledMethod: which methods the state of a VM or a host rules out, as vSphere lists them. Pure. Each list is
// made once and shared: equal states have the same list.
// Source: vSphere Web Services API, the InvalidPowerState and InvalidState clauses of each method.
import type { HostRuntimeInfo, VirtualMachineRuntimeInfo } from '@vivarium/vim';

type Methods = readonly string[];

const NONE: Methods = [];

/** No VM is a template, fault tolerant, recorded, or in need of consolidation. */
const NEVER: Methods = [
  'ConsolidateVMDisks_Task',
  'DisableSecondaryVM_Task',
  'EnableSecondaryVM_Task',
  'MakePrimaryVM_Task',
  'MarkAsVirtualMachine',
  'StartRecording_Task',
  'StartReplaying_Task',
  'StopRecording_Task',
  'StopReplaying_Task',
  'TerminateFaultTolerantVM_Task',
  'TurnOffFaultToleranceForVM_Task',
];
const NEEDS_RUNNING: Methods = [
  'AcquireMksTicket',
  'AcquireTicket',
  'CreateScreenshot_Task',
  'MountToolsInstaller',
  'PutUsbScanCodes',
  'RebootGuest',
  'ResetVM_Task',
  'SetScreenResolution',
  'ShutdownGuest',
  'StandbyGuest',
  'SuspendVM_Task',
  'UnmountToolsInstaller',
  'UpgradeTools_Task',
];
const NEEDS_STOPPED: Methods = ['Destroy_Task', 'ExportVm', 'UnregisterVM'];
const NEEDS_OFF: Methods = ['CustomizeVM_Task', 'MarkAsTemplate', 'UpgradeVM_Task'];
const NEEDS_ANSWER: Methods = ['RebootGuest', 'ShutdownGuest', 'StandbyGuest', 'SuspendVM_Task'];
const NEEDS_SNAPSHOT: Methods = ['RemoveAllSnapshots_Task', 'RevertToCurrentSnapshot_Task'];
const NEEDS_HOST: Methods = [
  ...NEEDS_RUNNING,
  ...NEEDS_STOPPED,
  ...NEEDS_OFF,
  'AnswerVM',
  'CloneVM_Task',
  'CreateSnapshot_Task',
  'MigrateVM_Task',
  'PowerOffVM_Task',
  'PowerOnVM_Task',
  'ReconfigVM_Task',
  'RelocateVM_Task',
];

export interface VmSituation {
  readonly runtime: Pick<VirtualMachineRuntimeInfo, 'connectionState' | 'powerState' | 'question'> | undefined;
  readonly hasSnapshot: boolean;
}

export function disabledByVmState({ runtime, hasSnapshot }: VmSituation): Methods {
  if (!runtime) return NONE;
  const { powerState, connectionState, question } = runtime;
  const isConnected = connectionState === 'connected';
  return shared(`${isConnected} ${powerState} ${question !== undefined} ${hasSnapshot}`, () => [
    ...NEVER,
    ...(hasSnapshot ? [] : NEEDS_SNAPSHOT),
    ...(isConnected ? [] : NEEDS_HOST),
    ...(powerState === 'poweredOn' ? [...NEEDS_STOPPED, ...NEEDS_OFF, 'PowerOnVM_Task'] : NEEDS_RUNNING),
    ...(powerState === 'suspended' ? NEEDS_OFF : []),
    ...(powerState === 'poweredOff' ? ['PowerOffVM_Task'] : []),
    ...(question ? NEEDS_ANSWER : ['AnswerVM']),
  ]);
}

const NEEDS_CONNECTION: Methods = [
  'EnterLockdownMode',
  'EnterMaintenanceMode_Task',
  'ExitMaintenanceMode_Task',
  'PowerDownHostToStandBy_Task',
  'RebootHost_Task',
  'ShutdownHost_Task',
];

export function disabledByHostState(
  runtime: Pick<HostRuntimeInfo, 'connectionState' | 'inMaintenanceMode'> | undefined,
): Methods {
  if (!runtime) return NONE;
  const { connectionState, inMaintenanceMode } = runtime;
  return shared(`host ${connectionState} ${inMaintenanceMode}`, () => [
    'ExitLockdownMode',
    'PowerUpHostFromStandBy_Task',
    inMaintenanceMode ? 'EnterMaintenanceMode_Task' : 'ExitMaintenanceMode_Task',
    ...(connectionState === 'connected' ? ['ReconnectHost_Task'] : NEEDS_CONNECTION),
    ...(connectionState === 'disconnected' ? ['DisconnectHost_Task'] : []),
  ]);
}

const known = new Map<string, Methods>();

function shared(situation: string, make: () => Methods): Methods {
  let methods = known.get(situation);
  if (!methods) known.set(situation, (methods = [...new Set(make())].sort()));
  return methods;
}
