// com.vmware.vcenter.vm.power and com.vmware.vcenter.vm.guest.power: the power button, and the guest's own.
import type { ManagedTypeName } from '@vivarium/vim';
import { type Operation, operation } from '../operation.ts';
import { flag, oneOf, optional, struct } from '../shape.ts';
import type { VapiErrorType } from '../vapi-error.ts';
import type { InventoryReader } from './inventory-reader.ts';
import { runMethod, runTask } from './run-method.ts';
import { powerStateOf } from './vm-info.ts';
import { powerState, vmId } from './vm-shapes.ts';

const POWER = '/vcenter/vm/{vm}/power';
const GUEST_POWER = '/vcenter/vm/{vm}/guest/power';
const VM = ['VirtualMachine'] as const satisfies readonly ManagedTypeName[];

const ACTIONS = [
  ['start', 'PowerOnVM_Task', 'Powers on a virtual machine that is off or suspended.'],
  ['stop', 'PowerOffVM_Task', 'Powers off a virtual machine that is on or suspended.'],
  ['suspend', 'SuspendVM_Task', 'Suspends a running virtual machine.'],
  ['reset', 'ResetVM_Task', 'Resets a running virtual machine.'],
] as const;

const GUEST_ACTIONS = [
  ['shutdown', 'ShutdownGuest', 'Asks the guest to shut down; answers when it has been asked.'],
  ['reboot', 'RebootGuest', 'Asks the guest to reboot; answers when it has been asked.'],
  ['standby', 'StandbyGuest', 'Asks the guest to sleep; answers when it has been asked.'],
] as const;

const ERRORS: readonly VapiErrorType[] = [
  'already_in_desired_state',
  'error',
  'not_allowed_in_current_state',
  'not_found',
  'resource_busy',
  'resource_in_use',
  'resource_inaccessible',
  'service_unavailable',
  'unable_to_allocate_resource',
  'unauthorized',
  'unsupported',
];

const GUEST_STATES = {
  running: 'RUNNING',
  shuttingDown: 'SHUTTING_DOWN',
  resetting: 'RESETTING',
  standby: 'STANDBY',
  notRunning: 'NOT_RUNNING',
} as const;

export function vmPowerOperations(reader: InventoryReader): Operation[] {
  return [
    operation({
      service: 'com.vmware.vcenter.vm.power',
      name: 'get',
      summary: 'Tells whether a virtual machine is on.',
      params: { vm: vmId },
      result: struct('com.vmware.vcenter.vm.power.info', { state: powerState, clean_power_off: optional(flag) }),
      errors: ['error', 'not_found', 'resource_inaccessible', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'GET', path: POWER }, api: { method: 'GET', path: POWER } },
      run({ vm }, { call }) {
        const object = reader.get(VM, vm, call);
        const state = powerStateOf(object.getPath('runtime.powerState'));
        const clean = object.getPath('runtime.cleanPowerOff') as boolean | undefined;
        return { state, clean_power_off: state === 'POWERED_OFF' ? clean : undefined };
      },
    }),
    ...ACTIONS.map(([name, method, summary]) =>
      operation({
        service: 'com.vmware.vcenter.vm.power',
        name,
        summary,
        params: { vm: vmId },
        errors: ERRORS,
        doors: {
          rest: { method: 'POST', path: `${POWER}/${name}` },
          api: { method: 'POST', path: POWER, action: name },
        },
        async run({ vm }, { call }) {
          await runTask(call, reader.get(VM, vm, call).ref, method);
        },
      }),
    ),
    operation({
      service: 'com.vmware.vcenter.vm.guest.power',
      name: 'get',
      summary: 'Tells what the guest does.',
      params: { vm: vmId },
      result: struct('com.vmware.vcenter.vm.guest.power.info', {
        state: oneOf('com.vmware.vcenter.vm.guest.power.state', [...Object.values(GUEST_STATES), 'UNAVAILABLE']),
        operations_ready: flag,
      }),
      errors: ['error', 'not_found', 'unauthorized'],
      doors: { rest: { method: 'GET', path: GUEST_POWER }, api: { method: 'GET', path: GUEST_POWER } },
      run({ vm }, { call }) {
        const object = reader.get(VM, vm, call);
        const state = GUEST_STATES[object.getPath('guest.guestState') as keyof typeof GUEST_STATES];
        return {
          state: state ?? 'UNAVAILABLE',
          operations_ready: object.getPath('guest.guestOperationsReady') === true,
        };
      },
    }),
    ...GUEST_ACTIONS.map(([name, method, summary]) =>
      operation({
        service: 'com.vmware.vcenter.vm.guest.power',
        name,
        summary,
        params: { vm: vmId },
        errors: ERRORS,
        doors: {
          rest: { method: 'POST', path: GUEST_POWER, action: name },
          api: { method: 'POST', path: GUEST_POWER, action: name },
        },
        async run({ vm }, { call }) {
          await runMethod(call, reader.get(VM, vm, call).ref, method);
        },
      }),
    ),
  ];
}
