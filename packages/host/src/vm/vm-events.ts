// The events of a VM's life, as ESXi's event types. Pure.
import {
  type Event,
  type MethodFault,
  type MoRef,
  make,
  toLocalizedMethodFault,
  type VirtualMachineConfigSpec,
  type VirtualMachineMessage,
} from '@vivarium/vim';
import { refs } from '../inventory/refs.ts';
import type { NewEvent, VmHost } from './vm-host.ts';

export interface EventSubject {
  readonly host: Pick<VmHost, 'ref' | 'name'>;
  readonly ref: MoRef<'VirtualMachine'>;
  readonly name: string;
}

type Plain =
  | 'VmCreatedEvent'
  | 'VmRegisteredEvent'
  | 'VmRemovedEvent'
  | 'VmStartingEvent'
  | 'VmPoweredOnEvent'
  | 'VmStoppingEvent'
  | 'VmPoweredOffEvent'
  | 'VmSuspendingEvent'
  | 'VmSuspendedEvent'
  | 'VmResumingEvent'
  | 'VmResettingEvent'
  | 'VmGuestShutdownEvent'
  | 'VmGuestRebootEvent';

type Failure =
  | 'VmFailedToPowerOnEvent'
  | 'VmFailedToPowerOffEvent'
  | 'VmFailedToSuspendEvent'
  | 'VmFailedToResetEvent'
  | 'VmFailedToShutdownGuestEvent'
  | 'VmFailedToRebootGuestEvent';

function common({ host, ref, name }: EventSubject) {
  return {
    datacenter: make('DatacenterEventArgument', { name: 'ha-datacenter', datacenter: refs.datacenter }),
    computeResource: make('ComputeResourceEventArgument', { name: host.name, computeResource: refs.computeResource }),
    host: make('HostEventArgument', { name: host.name, host: refs.host }),
    vm: make('VmEventArgument', { name, vm: ref }),
  };
}

const filled = { key: 0, chainId: 0, createdTime: '', userName: '' };

function withUser(event: Event & { _typeName: string }, userName: string | undefined): NewEvent {
  const { key: _key, chainId: _chain, createdTime: _time, userName: _user, ...rest } = event;
  return { ...rest, ...(userName === undefined ? {} : { userName }) };
}

/** An event that says no more than its type. */
export function vmEvent(type: Plain, subject: EventSubject, userName?: string): NewEvent {
  return withUser(make(type, { ...filled, ...common(subject), template: false }), userName);
}

/** CreateVM has begun: the object that the event names is not there yet. */
export function vmBeingCreated(
  subject: EventSubject,
  configSpec: VirtualMachineConfigSpec,
  userName?: string,
): NewEvent {
  return withUser(
    make('VmBeingCreatedEvent', { ...filled, ...common(subject), template: false, configSpec }),
    userName,
  );
}

export function vmReconfigured(
  subject: EventSubject,
  configSpec: VirtualMachineConfigSpec,
  userName?: string,
): NewEvent {
  return withUser(
    make('VmReconfiguredEvent', { ...filled, ...common(subject), template: false, configSpec }),
    userName,
  );
}

export function vmRenamed(subject: EventSubject, oldName: string, newName: string, userName?: string): NewEvent {
  const event = make('VmRenamedEvent', { ...filled, ...common(subject), template: false, oldName, newName });
  return withUser(event, userName);
}

/** A request failed; the VM is as it was. */
/** Of its hardware, to this version ('vmx-21'). */
export function vmUpgraded(subject: EventSubject, version: string, userName?: string): NewEvent {
  return withUser(
    make('VmUpgradeCompleteEvent', { ...filled, ...common(subject), template: false, version }),
    userName,
  );
}

export function vmFailed(type: Failure, subject: EventSubject, reason: MethodFault, userName?: string): NewEvent {
  const event = make(type, {
    ...filled,
    ...common(subject),
    template: false,
    reason: toLocalizedMethodFault(reason),
  });
  return withUser(event, userName);
}

export function vmTicketAcquired(subject: EventSubject, ticketType: string, userName?: string): NewEvent {
  const event = make('VmAcquiredTicketEvent', { ...filled, ...common(subject), template: false, ticketType });
  return withUser(event, userName);
}

export function vmMessage(subject: EventSubject, message: string, messageInfo?: VirtualMachineMessage[]): NewEvent {
  const event = make('VmMessageEvent', { ...filled, ...common(subject), template: false, message, messageInfo });
  return withUser(event, undefined);
}

/** The VMM ended without being asked to: the VM is off, and this says why. */
export function vmDied(subject: EventSubject, detail: string): NewEvent {
  const event = make('EventEx', {
    ...filled,
    ...common(subject),
    eventTypeId: 'esx.problem.vm.kill.unexpected.vmm',
    severity: 'error',
    message: `The virtual machine ${subject.name} was powered off because its VMM ended unexpectedly: ${detail}`,
    objectId: subject.ref.value,
    objectType: 'VirtualMachine',
    objectName: subject.name,
  });
  return withUser(event, undefined);
}
