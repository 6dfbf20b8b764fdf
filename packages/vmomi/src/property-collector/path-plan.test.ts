import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schema } from '@vivarium/vim';
import fc from 'fast-check';
import { planPath, readSteps } from './path-plan.ts';

const NEWEST = Number.POSITIVE_INFINITY;

const good: [type: string, path: string, leaf: string][] = [
  ['VirtualMachine', 'name', 'string'],
  ['VirtualMachine', 'config', 'VirtualMachineConfigInfo'],
  ['VirtualMachine', 'config.hardware.memoryMB', 'int'],
  ['VirtualMachine', 'config.hardware.device', 'VirtualDevice[]'],
  ['VirtualMachine', 'config.hardware.device[4000]', 'VirtualDevice'],
  ['VirtualMachine', 'config.hardware.device[4000].connectable.connected', 'boolean'],
  ['VirtualMachine', 'config.hardware.device[-1].backing', 'VirtualDeviceBackingInfo'],
  ['VirtualMachine', 'config.hardware.device[2000].backing.fileName', 'string'],
  ['VirtualMachine', 'config.extraConfig["guestinfo.x"]', 'OptionValue'],
  ['VirtualMachine', 'config.extraConfig["a]b.c"].value', 'any'],
  ['HostSystem', 'configManager.networkSystem', 'HostNetworkSystem'],
  ['ClusterComputeResource', 'summary.numHosts', 'int'],
  ['Task', 'info.state', 'TaskInfoState'],
];

for (const [type, path, leaf] of good) {
  void test(`${type} has ${path}, a ${leaf}`, () => {
    const plan = planPath(type, path, NEWEST);
    assert.equal(plan && `${plan.type.type}${plan.type.array ? '[]' : ''}`, leaf);
    assert.equal(plan?.property, path.split(/[.[]/)[0]);
  });
}

const bad: [type: string, path: string, why: string][] = [
  ['VirtualMachine', '', 'it is empty'],
  ['VirtualMachine', 'nosuch', 'there is no such property'],
  ['VirtualMachine', 'config.nosuch', 'there is no such nested property'],
  ['VirtualMachine', 'config.', 'it ends in a dot'],
  ['VirtualMachine', '.config', 'it begins with a dot'],
  ['VirtualMachine', 'config..name', 'a name is missing'],
  ['VirtualMachine', 'config hardware', 'it has a space'],
  ['VirtualMachine', 'name.length', 'a string has no properties'],
  ['VirtualMachine', 'config.hardware.device.key', 'an array has no properties'],
  ['VirtualMachine', 'config.hardware.device[x]', 'the key has no quotes'],
  ['VirtualMachine', 'config.hardware.device["4000"]', 'the key is a number'],
  ['VirtualMachine', 'config.hardware.device[4000', 'the bracket is open'],
  ['VirtualMachine', 'config.hardware[1]', 'it is no array'],
  ['VirtualMachine', 'runtime.host.name', 'a reference has no properties'],
  ['VirtualMachine', 'config.hardware.device[4000].nosuch', 'no kind of device has it'],
  ['ManagedEntity', 'runtime', 'only some entities have it'],
  ['NoSuchType', 'name', 'there is no such type'],
  ['VirtualDisk', 'key', 'it is no managed type'],
  ['VirtualMachine', `config.${'a'.repeat(10_000)}`, 'it is too long'],
];

for (const [type, path, why] of bad) {
  void test(`${type} has no '${path.slice(0, 40)}': ${why}`, () => {
    assert.equal(planPath(type, path, NEWEST), undefined);
  });
}

void test('a client does not know what is newer than its version', () => {
  const rank = (version: string) => schema.rank(version) ?? Number.NaN;
  assert.ok(planPath('VirtualMachine', 'storage', rank('4.0')));
  assert.equal(planPath('VirtualMachine', 'storage', rank('2.5')), undefined);
  assert.equal(planPath('VirtualMachine', 'config.hardware.numCoresPerSocket', rank('4.0')), undefined);
  assert.ok(planPath('VirtualMachine', 'config.hardware.numCoresPerSocket', rank('5.0')));
});

void test('a property asks for the privilege that the schema gives it, by default System.Read', () => {
  const privilege = (path: string) => planPath('VirtualMachine', path, NEWEST)?.privilege;
  assert.equal(privilege('name'), 'System.View');
  assert.equal(privilege('config.name'), 'System.Read');
  assert.equal(planPath('SessionManager', 'sessionList', NEWEST)?.privilege, 'Sessions.TerminateSession');
});

const config = {
  hardware: { device: [{ key: 200 }, { key: 4000, connectable: { connected: false } }] },
  extraConfig: [{ key: 'guestinfo.x', value: { _typeName: 'string', _value: '1' } }],
};

const reads: [path: string, value: unknown][] = [
  ['config', config],
  ['config.hardware.device[4000].connectable.connected', false],
  ['config.hardware.device[4000].backing', undefined],
  ['config.hardware.device[4001]', undefined],
  ['config.hardware.device[4001].connectable', undefined],
  ['config.extraConfig["guestinfo.x"]', config.extraConfig[0]],
  ['config.files.vmPathName', undefined],
];

for (const [path, value] of reads) {
  void test(`${path} reads as ${value === undefined ? 'unset' : 'what is there'}`, () => {
    assert.deepEqual(readSteps(config, planPath('VirtualMachine', path, NEWEST)?.steps ?? []), value);
  });
}

void test('no text at all makes the planner fail', () => {
  const piece = fc.constantFrom(
    'config',
    'hardware',
    'device',
    '.',
    '[',
    ']',
    '"',
    '4000',
    '\\',
    ' ',
    'extraConfig',
    'name',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (path) => {
      const plan = planPath('VirtualMachine', path, NEWEST);
      if (plan) readSteps(config, plan.steps);
    }),
    { numRuns: 2000, verbose: 1 },
  );
});
