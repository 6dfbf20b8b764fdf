import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { identifyProcess } from './process-identity.ts';
import { ProcessMeter, parseKsm, parseSchedule } from './process-meter.ts';

void test('this process is measured; without a virtual CPU it has none', () => {
  const usage = new ProcessMeter(identifyProcess(process.pid) ?? assert.fail()).read();
  assert.ok(usage && usage.residentBytes > 10_000_000 && usage.cpuSeconds >= 0);
  assert.deepEqual(usage.vcpus, []);
});

void test('threads named as QEMU names virtual CPUs are told apart from the others', async () => {
  // A thread may name itself, as QEMU does; a shell's one thread is enough.
  const child = spawn('sh', ['-c', 'printf "CPU 3/TCG" > /proc/self/task/$$/comm; echo; read line'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  const meter = new ProcessMeter(identifyProcess(child.pid ?? 0) ?? assert.fail());
  const [vcpu] = meter.read()?.vcpus ?? [];
  assert.equal(vcpu?.index, 3);
  assert.ok(vcpu.runNs > 0);
  assert.equal(meter.read()?.vcpus.length, 1, 'known the second time');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(meter.read(), undefined);
});

void test('the kernel’s texts are read, and what it does not say is left out', () => {
  assert.deepEqual(parseSchedule('7986206930 1571360067 3522\n'), { runNs: 7_986_206_930, readyNs: 1_571_360_067 });
  assert.equal(parseSchedule(''), undefined);
  assert.deepEqual(parseKsm('ksm_rmap_items 42344\nksm_zero_pages 3\nksm_merging_pages 5\n'), {
    mergedBytes: 5 * 4096,
    zeroBytes: 3 * 4096,
  });
  assert.deepEqual(parseKsm(undefined), {});
  const own = readdirSync('/proc/self').includes('ksm_stat');
  assert.equal(
    parseKsm(own ? readFileSync('/proc/self/ksm_stat', 'latin1') : undefined).mergedBytes !== undefined,
    own,
  );
});
