import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Handlers,
  isA,
  isFault,
  isRef,
  type ManagedEntityProperties,
  MethodFault,
  type MoRef,
  make,
  moRef,
  type Properties,
  schema,
  toLocalizedMethodFault,
  type VirtualDevice,
  type VirtualMachineConfigSpec,
} from './index.ts';

void test('make sets the type name, leaves undefined out, and its result fits where a base type is declared', () => {
  const disk = make('VirtualDisk', { key: 2000, capacityInKB: 1024, unitNumber: undefined });
  assert.deepEqual(disk, { _typeName: 'VirtualDisk', key: 2000, capacityInKB: 1024 });
  const devices: VirtualDevice[] = [disk, make('VirtualPCIController', { key: 100, busNumber: 0 })];
  const spec: VirtualMachineConfigSpec = make('VirtualMachineConfigSpec', {
    deviceChange: devices.map((device) => make('VirtualDeviceConfigSpec', { operation: 'add', device })),
  });
  assert.equal(spec.deviceChange?.length, 2);
  // @ts-expect-error an unknown property does not compile
  make('VirtualDisk', { key: 1, capacityInKB: 1, capacity: 1 });
  // @ts-expect-error a required property may not be missing
  make('VirtualDisk', { key: 1 });
  // @ts-expect-error nor undefined
  make('VirtualDisk', { key: undefined, capacityInKB: 1 });
});

void test('isA follows inheritance and refuses what it does not know', () => {
  assert.equal(isA('VirtualDevice', make('VirtualVmxnet3', { key: 4000 })), true);
  assert.equal(isA('VirtualDisk', make('VirtualVmxnet3', { key: 4000 })), false);
  assert.equal(isA('VirtualDevice', { _typeName: 'Nonsense' }), false);
  assert.equal(isA('VirtualDevice', {}), false);
  assert.equal(isA('VirtualDevice', undefined), false);
});

void test('a reference to a derived managed type fits where the base is declared, not the other way', () => {
  const vm = moRef('VirtualMachine', 'vm-1');
  const entity: MoRef<'ManagedEntity'> = vm;
  const any: MoRef = entity;
  // @ts-expect-error a ManagedEntity need not be a VirtualMachine
  const wrong: MoRef<'VirtualMachine'> = entity;
  assert.equal(wrong, any);
  assert.equal(isRef('ManagedEntity', any), true);
  assert.equal(isRef('HostSystem', any), false);
});

void test('properties and handlers of a managed type include the inherited ones', async () => {
  const properties: Properties<'VirtualMachine'> = {
    name: 'x',
    runtime: make('VirtualMachineRuntimeInfo', {
      connectionState: 'connected',
      powerState: 'poweredOff',
      toolsInstallerMounted: false,
      numMksConnections: 0,
      faultToleranceState: 'notConfigured',
      recordReplayState: 'inactive',
      onlineStandby: false,
      consolidationNeeded: false,
    }),
  };
  const entity: ManagedEntityProperties = properties;
  const handlers: Handlers<'VirtualMachine', { user: string }> = {
    PowerOnVM_Task: ({ host }, call) => moRef('Task', `${host?.value ?? 'any'}-${call.user}`),
    Rename_Task: async ({ newName }) => Promise.resolve(moRef('Task', newName)),
    Reload: () => {},
  };
  assert.equal(entity.name, 'x');
  assert.deepEqual(await handlers.PowerOnVM_Task?.({}, { user: 'root' }), { type: 'Task', value: 'any-root' });
});

void test('a MethodFault carries its data, a name and a message', () => {
  const fault = new MethodFault('InvalidPowerState', { requestedState: 'poweredOn', existingState: 'poweredOff' });
  assert.deepEqual(fault.fault, {
    _typeName: 'InvalidPowerState',
    requestedState: 'poweredOn',
    existingState: 'poweredOff',
  });
  assert.equal(isFault(fault, 'InvalidState'), true);
  assert.equal(isFault(fault, 'NotFound'), false);
  assert.equal(isFault(new Error('x'), 'MethodFault'), false);
  // @ts-expect-error existingState is required
  assert.ok(new MethodFault('InvalidPowerState', {}));
  assert.ok(new MethodFault('NotFound'));
  assert.equal(toLocalizedMethodFault(fault).fault, fault.fault);
  assert.equal(toLocalizedMethodFault(new TypeError('bug')).fault._typeName, 'SystemError');
});

void test('the schema answers types, fields, methods, subtypes and versions', () => {
  assert.equal(schema.versions[0], '9.0.0.0');
  assert.equal(schema.versions.length, 34);
  assert.equal(schema.versions.at(-1), '2.0');
  assert.equal(schema.legacyVersion, '2.5u2');
  assert.equal(schema.names('data').length, 2296);
  assert.equal(schema.names('fault').length, 696);
  assert.equal(schema.names('enum').length, 432);
  assert.equal(schema.names('managed').length, 139);
  assert.equal(schema.names('method').length, 973);
  assert.deepEqual(
    schema
      .data('VirtualDisk')
      ?.fields.slice(0, 4)
      .map((field) => field.name),
    ['dynamicType', 'dynamicProperty', 'key', 'deviceInfo'],
  );
  assert.equal(schema.field('VirtualDisk', 'capacityInBytes')?.type, 'long');
  assert.equal(schema.field('VirtualMachine', 'name')?.privilege, 'System.View');
  const method = schema.method('VirtualMachine', 'Rename_Task');
  assert.equal(method?.owner, 'ManagedEntity');
  assert.equal(method.result.type, 'Task');
  assert.equal(method.taskResult?.type, 'void');
  assert.equal(schema.method('VirtualMachine', 'setCustomValue')?.owner, 'ExtensibleManagedObject');
  assert.equal(schema.method('VirtualMachine', 'CreateVM_Task'), undefined);
  assert.equal(schema.method('HostSystem', 'Fetch')?.result.kind, 'any');
  assert.equal(schema.isSubtype('ClusterComputeResource', 'ManagedEntity'), true);
  assert.deepEqual(schema.enumValues('VirtualMachinePowerState'), ['poweredOff', 'poweredOn', 'suspended']);
  assert.equal(schema.type('toString'), undefined);
});
