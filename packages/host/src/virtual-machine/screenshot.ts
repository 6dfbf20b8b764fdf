// CreateScreenshot: the screen as a PNG beside the VM's other files, named as ESXi names them.
import { open, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { withFileFaults } from '../datastore/file-faults.ts';
import type { Request, Vm } from '../vm/vm.ts';
import { subjectOf } from '../vm/vm-files.ts';

/** Returns the datastore path of the picture. Faults: InvalidPowerState, NoDiskSpace … */
export async function saveScreenshot(vm: Vm, request: Request): Promise<string> {
  const picture = await vm.screenshot(request);
  const stem = basename(vm.vmxFile, '.vmx');
  for (let index = 1; ; index++) {
    const file = join(vm.folder, `${stem}-${index}.png`);
    if (await withFileFaults(subjectOf(vm.host, file), () => writeNew(file, picture))) {
      return vm.host.paths.format(file);
    }
  }
}

/** Returns false when the name is taken. */
async function writeNew(file: string, content: Uint8Array): Promise<boolean> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, 'wx', 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    await handle.writeFile(content);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return true;
}
