// Keys pressed by program.
import { delay } from '@vivarium/base';
import type { Qmp } from './monitor.ts';
import { type KeyModifier, modifierUsages, qcodeOf } from './usb-hid.ts';

export interface KeyStroke {
  /** HID usage of the keyboard page. */
  readonly usage: number;
  /** Held while the key is pressed. */
  readonly modifiers: readonly KeyModifier[];
}

// A guest that polls its keyboard, such as a boot loader, misses keys that are shorter. QEMU itself keeps a key for 100 ms unless told
// otherwise, and drops keys without a word when more than 1024 events wait, so the next stroke is sent when the last one is over.
const HOLD_MS = 20;
const BETWEEN_MS = 10;

/** QEMU's names of a stroke's keys, modifiers first. Throws a RangeError for a key that QEMU has not. */
export function strokeKeys({ usage, modifiers }: KeyStroke): string[] {
  return [...modifiers.map((modifier) => modifierUsages[modifier]), usage].map((key) => {
    const qcode = qcodeOf(key);
    if (qcode === undefined) throw new RangeError(`no key has the HID usage ${key}`);
    return qcode;
  });
}

/** Types the strokes one after the other; none of them when one has an unknown key (RangeError). */
export async function sendKeys(monitor: Qmp, strokes: readonly KeyStroke[], signal?: AbortSignal): Promise<void> {
  const combinations = strokes.map(strokeKeys);
  for (const keys of combinations) {
    signal?.throwIfAborted();
    await monitor.execute('send-key', { keys: keys.map((data) => ({ type: 'qcode', data })), 'hold-time': HOLD_MS });
    await delay(monitor.clock, HOLD_MS + BETWEEN_MS, signal);
  }
}
