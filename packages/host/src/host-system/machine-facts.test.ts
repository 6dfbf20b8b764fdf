import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCpuInfo, readMachineFacts } from './machine-facts.ts';

const processor = (index: number, packageId: number, core: number) =>
  `processor\t: ${index}\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\ncpu MHz\t\t: 2445.406\nflags\t\t: fpu lm\nphysical id\t: ${packageId}\ncore id\t\t: ${core}\n`;

void test('packages, cores and threads are counted from the topology', () => {
  const text = [processor(0, 0, 0), processor(1, 0, 0), processor(2, 1, 0), processor(3, 1, 1)].join('\n');
  assert.deepEqual(parseCpuInfo(text), {
    cpuModel: 'AMD EPYC',
    cpuVendor: 'amd',
    cpuMhz: 2445,
    cpuFlags: new Set(['fpu', 'lm']),
    packages: [
      { index: 0, threads: [0, 1] },
      { index: 1, threads: [2, 3] },
    ],
    cores: 3,
    threads: 4,
  });
});

void test('this machine has facts', async () => {
  const facts = await readMachineFacts('00000000-0000-4000-8000-000000000000');
  assert.ok(facts.threads >= 1 && facts.memoryBytes > 1 << 28 && facts.cpuMhz > 0);
  assert.match(facts.uuid, /^[0-9a-f-]{36}$/);
});
