// The machine's switch for passing packets between networks (net.ipv4.ip_forward). It is switched on only when it is off,
// remembered for all hosts of the machine, and switched off again by the last of them that goes.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const SETTING = '/proc/sys/net/ipv4/ip_forward';
/** On a file system that a reboot empties, as the setting itself. */
const FOLDER = '/run/vivarium';
const SWITCHED_ON = `${FOLDER}/ip-forward-switched-on`;

/** Returns whether it was off. */
export function ensureForwarding(): boolean {
  if (readFileSync(SETTING, 'utf8').trim() === '1') return false;
  mkdirSync(FOLDER, { recursive: true, mode: 0o755 });
  writeFileSync(SWITCHED_ON, 'net.ipv4.ip_forward was 0 before a Vivarium host needed it\n');
  writeFileSync(SETTING, '1');
  return true;
}

export function wasForwardingSwitchedOn(): boolean {
  return existsSync(SWITCHED_ON);
}

/** Back to what it was, if it was Vivarium that changed it. The caller knows that no other host of the machine needs it. */
export function restoreForwarding(): void {
  if (!wasForwardingSwitchedOn()) return;
  writeFileSync(SETTING, '0');
  rmSync(SWITCHED_ON, { force: true });
}
