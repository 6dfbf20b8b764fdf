// PutUsbScanCodes: what a client wants typed, as key strokes. Pure.
// Source: vSphere API, UsbScanCodeSpecKeyEvent.usbHidCode: usage in the upper 16 bits, usage page 7 in the lower.
import { qcodeOf, usageOfHidCode } from '@vivarium/qemu';
import { MethodFault, type UsbScanCodeSpec } from '@vivarium/vim';
import type { KeyModifier, KeyStroke } from '../vm/vmm.ts';

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

/** Throws InvalidArgument for a code that is no key of any keyboard, before anything is typed. */
export function keyStrokes(spec: UsbScanCodeSpec): KeyStroke[] {
  if (spec.keyEvents.length > MAX_EVENTS)
    throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.keyEvents' });
  return spec.keyEvents.map(({ usbHidCode, modifiers: held }) => {
    const usage = usageOfHidCode(usbHidCode);
    if (usage === undefined || qcodeOf(usage) === undefined) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.keyEvents.usbHidCode' });
    }
    return { usage, modifiers: modifiers.filter((name) => held?.[name] === true) };
  });
}
