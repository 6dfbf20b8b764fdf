// CreateScreenshot: the screen as a PNG beside the VM's other files, named as ESXi names them.
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeDurable } from '@vivarium/base/node';
import type { Vm } from '../vm/vm.ts';

/** Returns the datastore path of the picture. */
export async function saveScreenshot(vm: Vm): Promise<string> {
  const picture = await vm.screenshot();
  const stem = basename(vm.vmxFile, '.vmx');
  for (let index = 1; ; index++) {
    const file = join(vm.folder, `${stem}-${index}.png`);
    const taken = await stat(file).then(
      () => true,
      () => false,
    );
    if (taken) continue;
    await writeDurable(file, picture, 0o644);
    return vm.host.paths.format(file);
  }
}
