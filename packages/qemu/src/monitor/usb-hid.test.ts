import assert from 'node:assert/strict';
import { test } from 'node:test';
import { qcodeOf, usageOfHidCode } from './usb-hid.ts';

void test('keys have the names that QEMU gives them', () => {
  const known: [number, string][] = [
    ...([
      [0x04, 'a'],
      [0x1d, 'z'],
      [0x1e, '1'],
      [0x27, '0'],
      [0x28, 'ret'],
      [0x29, 'esc'],
      [0x2a, 'backspace'],
    ] as const),
    ...([
      [0x2b, 'tab'],
      [0x2c, 'spc'],
      [0x2d, 'minus'],
      [0x31, 'backslash'],
      [0x33, 'semicolon'],
      [0x39, 'caps_lock'],
    ] as const),
    ...([
      [0x3a, 'f1'],
      [0x45, 'f12'],
      [0x46, 'print'],
      [0x49, 'insert'],
      [0x4c, 'delete'],
      [0x4f, 'right'],
    ] as const),
    ...([
      [0x52, 'up'],
      [0x53, 'num_lock'],
      [0x58, 'kp_enter'],
      [0x59, 'kp_1'],
      [0x62, 'kp_0'],
      [0x63, 'kp_decimal'],
    ] as const),
    ...([
      [0x64, 'less'],
      [0x68, 'f13'],
      [0x73, 'f24'],
      [0xe0, 'ctrl'],
      [0xe6, 'alt_r'],
      [0xe7, 'meta_r'],
    ] as const),
  ].map(([usage, name]) => [usage, name]);
  for (const [usage, name] of known) assert.equal(qcodeOf(usage), name);
  assert.equal(qcodeOf(0), undefined);
  assert.equal(qcodeOf(0x1000), undefined);
});

void test('a hidCode is a usage and the keyboard page', () => {
  assert.equal(usageOfHidCode(0x0004_0007), 4);
  assert.equal(usageOfHidCode(0x00e1_0007), 0xe1);
  assert.equal(usageOfHidCode(0x0004_0008), undefined);
  assert.equal(usageOfHidCode(1.5), undefined);
});
