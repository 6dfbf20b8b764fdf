import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aboutCenter } from './about.ts';

void test('Terraform, govc and libvirt recognize a vCenter', () => {
  const about = aboutCenter('1.2.3', 'd9a1c5c4-5a2f-4b0e-9d0a-2f4a3f1f0a11');
  assert.equal(about.name, 'VMware vCenter Server');
  assert.equal(about.apiType, 'VirtualCenter');
  assert.equal(about.productLineId, 'vpx');
  assert.ok(Number(about.build) >= 2_559_268, 'REST is there from this build on');
});
