import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkName, escapeName, plainName } from './entity-name.ts';

void test('equal names are kept alike, however their escapes are written', () => {
  for (const name of ['a/b%\\', 'a%2fb%25%5c', 'a%2Fb%%5C']) assert.equal(escapeName(name), 'a%2fb%25%5c', name);
  assert.equal(plainName('a%2Fb%25%5c'), 'a/b%\\');
  assert.equal(escapeName('100 %'), '100 %25');
  assert.equal(escapeName(escapeName('50%2')), '50%252');
});

void test('a name has from 1 to 80 characters, escapes counted as one', () => {
  assert.equal(checkName('/'.repeat(80)), '%2f'.repeat(80));
  for (const name of ['', ' ', 'x'.repeat(81)]) assert.throws(() => checkName(name), name);
});
