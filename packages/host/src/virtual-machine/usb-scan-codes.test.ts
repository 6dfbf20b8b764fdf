import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsbScanCodeSpec } from '@vivarium/vim';
import { fault } from '../testing/faults.ts';
import { keyStrokes } from './usb-scan-codes.ts';

const spec = (usbHidCode: number, modifiers?: object) =>
  ({ keyEvents: [{ usbHidCode, modifiers }] }) as UsbScanCodeSpec;
const hid = (usage: number, page = 7) => (usage << 16) | page;

void test('a code is a usage of the keyboard page in the upper half, 7 in the lower', () => {
  assert.deepEqual(keyStrokes(spec(hid(0x04))), [{ usage: 0x04, modifiers: [] }]);
  assert.deepEqual(keyStrokes(spec(0x00280007)), [{ usage: 0x28, modifiers: [] }], 'Enter, as packer sends it');
  assert.deepEqual(keyStrokes(spec(hid(0xe1))), [{ usage: 0xe1, modifiers: [] }], 'Shift alone');
});

void test('modifiers are held, in a fixed order', () => {
  const held = { rightGui: true, leftShift: true, leftAlt: false, leftControl: true };
  assert.deepEqual(keyStrokes(spec(hid(0x4c), held)), [
    { usage: 0x4c, modifiers: ['leftControl', 'leftShift', 'rightGui'] },
  ]);
});

void test('another page, a key that no keyboard has, and too much text are InvalidArgument', () => {
  const refused = fault('InvalidArgument');
  for (const code of [0x04, hid(0x04, 1), hid(0x04, 0x0c), hid(0), hid(0x01), hid(0xff), hid(0xffff), -1]) {
    assert.throws(() => keyStrokes(spec(code)), refused, code.toString(16));
  }
  const long = { keyEvents: Array.from({ length: 10_001 }, () => ({ usbHidCode: hid(4) })) } as UsbScanCodeSpec;
  assert.throws(() => keyStrokes(long), refused);
});

void test('nothing to type is nothing typed', () => {
  assert.deepEqual(keyStrokes({ keyEvents: [] }), []);
});
