import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuFeatures } from './cpu-features.ts';

void test('a flag becomes its bit of its register', () => {
  const [basic, extended] = cpuFeatures(new Set(['fpu', 'hypervisor', 'lm']), 'amd');
  assert.equal(basic?.edx, '0000:0000:0000:0000:0000:0000:0000:0001');
  assert.equal(basic?.ecx, '1000:0000:0000:0000:0000:0000:0000:0000');
  assert.equal(extended?.edx, '0010:0000:0000:0000:0000:0000:0000:0000');
  assert.equal(extended?.level, 0x80000001 | 0);
});
