import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultMessage, MethodFault, moRef, schema, toLocalizedMethodFault } from './index.ts';

const texts: readonly [fault: MethodFault, text: string][] = [
  [new MethodFault('InvalidLogin'), 'Cannot complete login due to an incorrect user name or password.'],
  [
    new MethodFault('InvalidPowerState', { existingState: 'poweredOff' }),
    'The attempted operation cannot be performed in the current state (Powered off).',
  ],
  [new MethodFault('InvalidArgument', { invalidProperty: 'x' }), 'A specified parameter was not correct: x'],
  [
    new MethodFault('ManagedObjectNotFound', { obj: moRef('VirtualMachine', 'vm-9') }),
    "The object 'vim.VirtualMachine:vm-9' has already been deleted or has not been completely created",
  ],
  [new MethodFault('FileNotFound', { file: '[ds] a' }), 'File [ds] a was not found'],
  [new MethodFault('GenericVmConfigFault', { reason: 'no disk' }), 'no disk'],
  [new MethodFault('SystemError', { reason: '' }), 'A general system error occurred'],
  [new MethodFault('HostInventoryFull', { capacity: 5 }), 'Host inventory full.'],
  [new MethodFault('NotFound', {}, 'no such lamp'), 'no such lamp'],
];

for (const [fault, text] of texts) {
  void test(`${fault.name}: ${text}`, () => {
    assert.equal(fault.message, text);
  });
}

void test('every fault has a text', () => {
  for (const name of schema.names('fault')) assert.match(faultMessage({ _typeName: name }), /^[A-Z]/);
});

void test('a fault read from the wire is the fault that was thrown; an unknown one is a SystemError', () => {
  const fault = new MethodFault('NotFound');
  const localized = toLocalizedMethodFault(fault);
  assert.deepEqual(MethodFault.from(localized.fault, localized.localizedMessage), fault);
  assert.equal(MethodFault.from({ _typeName: 'WarpCoreBreach' }, 'boom').fault._typeName, 'SystemError');
});
