// A small streamOptimized VMDK, as clients import them: made by the qemu-img of the VMM's runtime.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findRuntime, runProgram } from '@vivarium/qemu';
import { labCache } from './lab-cache.ts';

/** `stream.vmdk` in the folder, of 4 MB; its path. */
export async function makeStreamVmdk(folder: string): Promise<string> {
  const runtime = await findRuntime(labCache());
  assert.ok(runtime, 'there is no runtime');
  const [raw, stream] = [join(folder, 'raw'), join(folder, 'stream.vmdk')];
  await writeFile(raw, Buffer.alloc(4 << 20, 'disk'));
  const convert = ['convert', '-q', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, stream];
  const command = runtime.direct('/usr/bin/qemu-img', convert);
  await runProgram(command.file, command.args);
  return stream;
}
