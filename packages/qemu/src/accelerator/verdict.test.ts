import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRecord } from './qualify-accelerator.ts';
import { findKvmFailure, judgeProbe } from './verdict.ts';

void test('only a booted guest qualifies KVM', () => {
  assert.equal(judgeProbe({ kind: 'booted', milliseconds: 812.4 }).accelerator, 'kvm');
  assert.equal(judgeProbe({ kind: 'booted', milliseconds: 812.4 }).mend, undefined);
  for (const outcome of [
    { kind: 'absent' },
    { kind: 'forbidden' },
    { kind: 'silent', limitMs: 5000 },
    { kind: 'failed', words: 'x' },
  ] as const) {
    const verdict = judgeProbe(outcome);
    assert.equal(verdict.accelerator, 'tcg', outcome.kind);
    assert.match(verdict.detail, /guests are emulated$/);
    assert.notEqual(verdict.mend, undefined);
  }
  assert.match(judgeProbe({ kind: 'silent', limitMs: 5000 }).detail, /opens but did not run a 64-bit guest within 5 s/);
});

void test("a machine that KVM stopped is recognised by QEMU's words", () => {
  const said = 'warning: x\nKVM internal error. Suberror: 1\nemulation failure\nRAX=0\n';
  assert.equal(findKvmFailure(said), 'KVM internal error. Suberror: 1');
  assert.equal(
    findKvmFailure('qemu-system-x86_64: error: failed to set MSR 0x10a to 0x0\n'),
    'error: failed to set MSR 0x10a to 0x0',
  );
  assert.equal(findKvmFailure('qemu-system-x86_64: warning: host does not support requested feature\n'), undefined);
});

void test('a remembered verdict that is not whole is forgotten', () => {
  const verdict = { accelerator: 'tcg', detail: 'd' } as const;
  assert.deepEqual(parseRecord(JSON.stringify({ occasion: 'o', verdict })), { occasion: 'o', verdict });
  for (const text of ['', '{', '{}', '{"occasion":"o","verdict":{"accelerator":"xen","detail":""}}']) {
    assert.equal(parseRecord(text), undefined);
  }
});
