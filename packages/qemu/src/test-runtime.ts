// Where tests find the runtime root; without one they skip and say so.
import { existsSync } from 'node:fs';

/** Path of a runtime root: VIVARIUM_RUNTIME, else the development one; `undefined` when there is none. */
export function testRuntime(): string | undefined {
  const path = process.env['VIVARIUM_RUNTIME'] ?? '/var/cache/vivarium/runtime-dev';
  return existsSync(`${path}/usr/bin/qemu-system-x86_64`) ? path : undefined;
}
