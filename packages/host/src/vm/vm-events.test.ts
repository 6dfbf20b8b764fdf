// What events look like is decided in vm-events.ts; here it meets the schema: every event goes through the SOAP encoder for
// the oldest version that knows such events, and for the newest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSoapResponse, encodeSoapResponse, MethodFault, make, moRef, schema, typeRef } from '@vivarium/vim';
import { refs } from '../inventory/refs.ts';
import { publishedHost } from '../testing/published-host.ts';
import { asUser, vmSpec } from '../testing/test-host.ts';
import { diskQuestion, questionText } from './questions.ts';
import {
  vmBeingCreated,
  vmDied,
  vmEvent,
  vmFailed,
  vmMessage,
  vmReconfigured,
  vmRenamed,
  vmTicketAcquired,
} from './vm-events.ts';
import type { NewEvent } from './vm-host.ts';

const subject = { host: { ref: refs.host, name: 'esx1' }, ref: moRef('VirtualMachine', '7'), name: 'web' };
const fault = new MethodFault('GenericVmConfigFault', { reason: 'no' });
const question = diskQuestion('7-1', true, 'disk-2000: No space left on device');
const spec = make('VirtualMachineConfigSpec', { name: 'web', memoryMB: 128 });

const events: readonly NewEvent[] = [
  vmBeingCreated(subject, spec, 'root'),
  ...(
    [
      'VmCreatedEvent',
      'VmRegisteredEvent',
      'VmRemovedEvent',
      'VmStartingEvent',
      'VmPoweredOnEvent',
      'VmStoppingEvent',
      'VmPoweredOffEvent',
      'VmSuspendingEvent',
      'VmSuspendedEvent',
      'VmResumingEvent',
      'VmResettingEvent',
      'VmGuestShutdownEvent',
      'VmGuestRebootEvent',
    ] as const
  ).map((type) => vmEvent(type, subject, 'root')),
  ...(
    [
      'VmFailedToPowerOnEvent',
      'VmFailedToPowerOffEvent',
      'VmFailedToSuspendEvent',
      'VmFailedToResetEvent',
      'VmFailedToShutdownGuestEvent',
      'VmFailedToRebootGuestEvent',
    ] as const
  ).map((type) => vmFailed(type, subject, fault, 'root')),
  vmReconfigured(subject, spec, 'root'),
  vmRenamed(subject, 'old', 'new', 'root'),
  vmTicketAcquired(subject, 'webmks', 'root'),
  vmMessage(subject, questionText(question), question.message),
  vmDied(subject, 'killed by signal 9'),
];

void test('every event of a VM can be read back by an old and by a new client', () => {
  const [newest = schema.legacyVersion] = schema.versions;
  const old = schema.versions.find((version) => version.startsWith('5.')) ?? schema.legacyVersion;
  assert.notEqual(old, newest);
  const list = typeRef('Event[]');
  for (const event of events) {
    const whole = { ...event, key: 1, chainId: 1, createdTime: '2026-11-22T00:00:00.000Z', userName: 'root' };
    const read = (version: typeof newest) =>
      (decodeSoapResponse(list, encodeSoapResponse('QueryEvents', list, [whole], version)) as (typeof whole)[])[0];
    assert.equal(read(old)?._typeName, event._typeName, `${event._typeName} for ${old}`);
    assert.deepEqual(
      JSON.parse(JSON.stringify(read(newest), withoutTypes)),
      JSON.parse(JSON.stringify(whole, withoutTypes)),
      event._typeName,
    );
  }
});

// The decoder sets the type of references too.
function withoutTypes(key: string, value: unknown): unknown {
  return key === '_typeName' && value === 'ManagedObjectReference' ? undefined : value;
}

void test('every event names the VM, its host and its user', () => {
  for (const event of events) {
    assert.equal(event.vm?.vm.value, '7', event._typeName);
    assert.equal(event.host?.host.value, 'ha-host');
    assert.equal(event.datacenter?.name, 'ha-datacenter');
    const isOurs = event._typeName === 'EventEx' || event._typeName === 'VmMessageEvent';
    assert.equal(event.userName, isOurs ? undefined : 'root');
  }
});

void test('every event has words in the event log', async (t) => {
  const { service } = await publishedHost(t);
  for (const event of events) {
    const { fullFormattedMessage: text } = service.events.post(event as never);
    assert.match(text ?? '', /web|new/, event._typeName);
    assert.doesNotMatch(text ?? '', /undefined|\{|\}/, event._typeName);
  }
});

void test('a task of a VM and the events of its work tell one story, in order', async (t) => {
  const { host, service, run } = await publishedHost(t);
  const told: string[] = [];
  service.events.onPost((event) => void told.push(event._typeName ?? ''));
  const vm = await run<ReturnType<typeof moRef>>(refs.vmFolder, 'CreateVM_Task', {
    config: vmSpec(),
    pool: refs.resourcePool,
  });
  await run(vm, 'PowerOnVM_Task');
  await run(vm, 'PowerOffVM_Task');
  await host.registry.unregister(asUser(), host.registry.find(vm.value) ?? assert.fail());
  assert.deepEqual(told, [
    'TaskEvent',
    'VmBeingCreatedEvent',
    'VmCreatedEvent',
    'TaskEvent',
    'VmStartingEvent',
    'VmPoweredOnEvent',
    'TaskEvent',
    'VmStoppingEvent',
    'VmPoweredOffEvent',
    'VmRemovedEvent',
  ]);
});
