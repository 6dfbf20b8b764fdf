// PutUsbScanCodes: what a client wants typed, as key strokes. Pure.
// Source: vSphere API, UsbScanCodeSpecKeyEvent.usbHidCode: usage in the upper 16 bits, usage page 7 in the lower.
import { MethodFault, type UsbScanCodeSpec } from '@vivarium/vim';
import type { KeyModifier, KeyStroke } from '../vm/vmm.ts';

const KEYBOARD_PAGE = 7;
const MAX_EVENTS = 10_000;
const modifiers = [
  'leftControl',
  'leftShift',
  'leftAlt',
  'leftGui',
  'rightControl',
  'rightShift',
  'rightAlt',
  'rightGui',
] as const satisfies readonly KeyModifier[];

/** Throws InvalidArgument for a code that is no keyboard usage. */
export function keyStrokes(spec: UsbScanCodeSpec): KeyStroke[] {
  if (spec.keyEvents.length > MAX_EVENTS)
    throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.keyEvents' });
  return spec.keyEvents.map((event) => {
    if ((event.usbHidCode & 0xffff) !== KEYBOARD_PAGE) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.keyEvents.usbHidCode' });
    }
    const held = event.modifiers;
    return { usage: event.usbHidCode >>> 16, modifiers: modifiers.filter((name) => held?.[name] === true) };
  });
}
