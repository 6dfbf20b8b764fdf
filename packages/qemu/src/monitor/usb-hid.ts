// USB HID keyboard usages (HID Usage Tables, page 7 "Keyboard/Keypad") and QEMU's names for the same keys (QKeyCode).
// PutUsbScanCodes writes a key as `hidCode` = usage * 65536 + page.

/** QEMU's key names by usage: [first usage, names of it and the following ones]. */
const rows: readonly (readonly [number, string])[] = [
  [0x04, 'a b c d e f g h i j k l m n o p q r s t u v w x y z'],
  [0x1e, '1 2 3 4 5 6 7 8 9 0'],
  [0x28, 'ret esc backspace tab spc minus equal bracket_left bracket_right backslash'],
  [0x32, 'backslash semicolon apostrophe grave_accent comma dot slash caps_lock'],
  [0x3a, 'f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12'],
  [0x46, 'print scroll_lock pause insert home pgup delete end pgdn right left down up'],
  [0x53, 'num_lock kp_divide kp_multiply kp_subtract kp_add kp_enter'],
  [0x59, 'kp_1 kp_2 kp_3 kp_4 kp_5 kp_6 kp_7 kp_8 kp_9 kp_0 kp_decimal'],
  [0x64, 'less compose power kp_equals'],
  [0x68, 'f13 f14 f15 f16 f17 f18 f19 f20 f21 f22 f23 f24'],
  [0x74, 'open help props front stop again undo cut copy paste find audiomute volumeup volumedown'],
  [0x85, 'kp_comma'],
  [0x87, 'ro katakanahiragana yen henkan muhenkan'],
  [0x90, 'lang1 lang2'],
  [0x9a, 'sysrq'],
  [0xe0, 'ctrl shift alt meta_l ctrl_r shift_r alt_r meta_r'],
];

const qcodes: ReadonlyMap<number, string> = new Map(
  rows.flatMap(([first, names]) => names.split(' ').map((name, index) => [first + index, name] as const)),
);

const KEYBOARD_PAGE = 7;

/** QEMU's name of a key; `undefined` for a usage that no keyboard of QEMU's has. */
export function qcodeOf(usage: number): string | undefined {
  return qcodes.get(usage);
}

/** The usage in a `hidCode` of PutUsbScanCodes; `undefined` when it is not on the keyboard page. */
export function usageOfHidCode(hidCode: number): number | undefined {
  if (!Number.isInteger(hidCode) || (hidCode & 0xffff) !== KEYBOARD_PAGE) return undefined;
  return (hidCode >>> 16) & 0xffff;
}

/** Usages of the modifier keys, by the names of `UsbScanCodeSpecModifierType`. */
export const modifierUsages = {
  leftControl: 0xe0,
  leftShift: 0xe1,
  leftAlt: 0xe2,
  leftGui: 0xe3,
  rightControl: 0xe4,
  rightShift: 0xe5,
  rightAlt: 0xe6,
  rightGui: 0xe7,
} as const;

export type KeyModifier = keyof typeof modifierUsages;
