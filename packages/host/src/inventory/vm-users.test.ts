import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moRef } from '@vivarium/vim';
import { VmUsers } from './vm-users.ts';

const [one, two] = [moRef('VirtualMachine', '1'), moRef('VirtualMachine', '2')];

void test('users join and leave places', () => {
  const users = new VmUsers();
  assert.equal(users.set(one, ['a', 'b']), true);
  assert.equal(users.set(two, ['b']), true);
  assert.equal(users.set(two, ['b']), false);
  assert.deepEqual(Object.fromEntries(users.all), { a: [one], b: [one, two] });
  assert.equal(users.set(one, ['a']), true);
  assert.deepEqual(users.all.get('b'), [two]);
  assert.equal(users.set(two, []), true);
  assert.deepEqual(Object.fromEntries(users.all), { a: [one] });
});
