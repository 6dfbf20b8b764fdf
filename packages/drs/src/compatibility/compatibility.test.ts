import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isFault, moRef } from '@vivarium/vim';
import { testHost, testVm } from '../testing/small-cluster.ts';
import { findIncompatibilities, isCompatible } from './compatibility.ts';
import { isFeatureMet, parseFeatureRequirement } from './feature-requirement.ts';
import { compareMorefs } from './moref-order.ts';

const elsewhere = { datastore: moRef('Datastore', 'datastore-2'), name: 'datastore2' };
const requirement = (key: string, value: string) => parseFeatureRequirement({ key, featureName: key, value });

/** The only reason against, by name; 'none' when there is none. */
function reason(vm: ReturnType<typeof testVm>, host: ReturnType<typeof testHost>): string {
  const faults = findIncompatibilities(vm, host);
  assert.equal(isCompatible(vm, host), faults.length === 0);
  assert.ok(faults.length <= 1);
  return faults[0]?.fault._typeName ?? 'none';
}

describe('which hosts could run a VM', () => {
  test('one that is connected, on, and not in maintenance', () => {
    assert.equal(reason(testVm(1), testHost(1)), 'none');
    assert.equal(reason(testVm(1), testHost(1, { connectionState: 'notResponding' })), 'InvalidHostConnectionState');
    assert.equal(reason(testVm(1), testHost(1, { isInMaintenance: true })), 'InvalidHostState');
    assert.equal(reason(testVm(1), testHost(1, { powerState: 'standBy' })), 'InvalidHostState');
  });

  test('one that has the CPUs, supports the memory and knows the hardware version', () => {
    assert.equal(reason(testVm(1, { numCpu: 9 }), testHost(1)), 'NotEnoughLogicalCpus');
    assert.equal(reason(testVm(1, { numCpu: 65 }), testHost(1, { numCpuThreads: 128 })), 'NumVirtualCpusNotSupported');
    assert.equal(reason(testVm(1, { memoryMB: 65_537 }), testHost(1)), 'MemorySizeNotSupported');
    assert.equal(reason(testVm(1, { hardwareVersion: 'vmx-22' }), testHost(1)), 'VirtualHardwareVersionNotSupported');
  });

  test('one whose CPU has the features', () => {
    const aes = testVm(1, { featureRequirements: [requirement('cpuid.aes', 'Bool:Min:1')] });
    assert.equal(reason(aes, testHost(1)), 'none');
    assert.equal(reason(aes, testHost(1, { features: new Map() })), 'FeatureRequirementsNotMet');
    const amd = testVm(1, { featureRequirements: [requirement('cpuid.AMD', 'Bool:Min:1')] });
    const [fault] = findIncompatibilities(amd, testHost(1));
    assert.ok(isFault(fault, 'FeatureRequirementsNotMet'));
    assert.deepEqual(fault.fault.featureRequirement, [
      { key: 'cpuid.AMD', featureName: 'cpuid.AMD', value: 'Bool:Min:1' },
    ]);
  });

  test('one that reaches every datastore of the VM', () => {
    assert.equal(reason(testVm(1, { home: elsewhere }), testHost(1)), 'CannotAccessVmConfig');
    const disk = { ...elsewhere, label: 'Hard disk 2', fileName: '[datastore2] web/data.vmdk' };
    const [fault] = findIncompatibilities(testVm(1, { disks: [disk] }), testHost(1));
    assert.ok(isFault(fault, 'CannotAccessVmDisk'));
    assert.deepEqual([fault.fault.device, fault.fault.backing], ['Hard disk 2', '[datastore2] web/data.vmdk']);
    assert.equal(fault.fault.fault.fault._typeName, 'InaccessibleDatastore');
  });

  test('one that carries every network that is connected at power-on', () => {
    const nic = {
      label: 'Network adapter 1',
      networkName: 'lab',
      network: moRef('DistributedVirtualPortgroup', 'dvportgroup-9'),
      isConnected: true,
    };
    const [fault] = findIncompatibilities(testVm(1, { nics: [nic] }), testHost(1));
    assert.ok(isFault(fault, 'CannotAccessNetwork'));
    assert.equal(fault.fault.network?.value, 'dvportgroup-9');
    assert.equal(reason(testVm(1, { nics: [{ ...nic, isConnected: false }] }), testHost(1)), 'none');
  });

  test('every reason is named', () => {
    const faults = findIncompatibilities(
      testVm(1, { home: elsewhere, numCpu: 9 }),
      testHost(1, { isInMaintenance: true }),
    );
    assert.deepEqual(
      faults.map(({ fault }) => fault._typeName),
      ['InvalidHostState', 'NotEnoughLogicalCpus', 'CannotAccessVmConfig'],
    );
  });
});

test('feature requirements compare as they say, and an unknown capability is 0', () => {
  const features = new Map([
    ['a', '2'],
    ['text', 'x'],
  ]);
  const met = (key: string, value: string) => isFeatureMet(requirement(key, value), features);
  assert.deepEqual(
    [
      met('a', 'Num:Min:2'),
      met('a', 'Num:Min:3'),
      met('a', 'Num:Max:2'),
      met('a', 'Num:Max:1'),
      met('a', 'Num:Equal:2'),
    ],
    [true, false, true, false, true],
  );
  assert.deepEqual([met('b', 'Bool:Min:1'), met('b', 'Bool:Equal:0'), met('a', 'Num:Odd:2')], [false, true, false]);
  assert.deepEqual([met('text', 'x'), met('text', 'y')], [true, false]);
});

test('morefs are ordered by their number', () => {
  const values = ['host-10', 'host-9', 'group-3', 'ha-host', 'host-9'].map((value) => ({ type: 'HostSystem', value }));
  assert.deepEqual(
    values.sort(compareMorefs).map(({ value }) => value),
    ['group-3', 'ha-host', 'host-9', 'host-9', 'host-10'],
  );
});
