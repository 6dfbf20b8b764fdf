import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '@vivarium/vim';
import { upgradeSpec } from './upgrade-spec.ts';

void test('hardware is upgraded to what is asked for, or to what new VMs get, and never back', () => {
  const upgrade = (version: string, wanted?: string) => upgradeSpec({ version }, wanted).version;
  assert.equal(upgrade('vmx-08', 'vmx-10'), 'vmx-10');
  assert.equal(upgrade('vmx-13'), 'vmx-21');
  assert.equal(upgrade('vmx-21', 'vmx-22'), 'vmx-22');
  for (const [version, wanted] of [['vmx-21'], ['vmx-22'], ['vmx-15', 'vmx-15']] as const) {
    assert.throws(
      () => upgrade(version, wanted),
      (error) => isFault(error, 'AlreadyUpgraded'),
      version,
    );
  }
  for (const wanted of ['vmx-14', 'vmx-99', '19']) {
    assert.throws(
      () => upgrade('vmx-15', wanted),
      (error) => isFault(error, 'InvalidArgument'),
      wanted,
    );
  }
});
