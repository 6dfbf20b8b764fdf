// For tests: what is served beside the API: files, pictures of screens, figures.
import assert from 'node:assert/strict';
import type { MoRef } from '@vivarium/vim';
import { fetchFrom } from '../ask.ts';
import { ancestors, type Doors } from '../door.ts';
import { ROOT, type World } from '../world.ts';

export const fileDoors: Doors = {
  async files(world, who) {
    const datacenters = world.entities().filter((ref) => ref.type === 'Datacenter');
    const { text } = await fetchFrom(world, who, 'GET', '/folder');
    for (const ref of datacenters) {
      const dcPath = encodeURIComponent(pathOf(world, ref));
      assert.equal(text.includes(`dcPath=${dcPath}"`), world.may(who, ref, 'System.View'), dcPath);
      const page = await fetchFrom(world, who, 'GET', `/folder?dcPath=${dcPath}`);
      for (const datastore of world.center.read<MoRef[]>(ref, 'datastore')) {
        const dsName = encodeURIComponent(world.center.read<string>(datastore, 'name'));
        const mayBrowse = world.may(who, datastore, 'Datastore.Browse');
        assert.equal(page.text.includes(`dsName=${dsName}"`), mayBrowse, dsName);
        const file = await fetchFrom(world, who, 'GET', `/folder/vm/vm.vmx?dcPath=${dcPath}&dsName=${dsName}`);
        const mayManage = world.may(who, datastore, 'Datastore.FileManagement');
        // Who may browse is told that the file is not there.
        if (!mayManage && !mayBrowse) assert.equal(file.status, 403, dsName);
        if (mayManage) assert.notEqual(file.status, 403, dsName);
        const gone = await fetchFrom(world, who, 'DELETE', `/folder/vm/vm.vmx?dcPath=${dcPath}&dsName=${dsName}`);
        assert.equal(gone.status === 403, !mayManage, dsName);
      }
    }
  },

  async screens(world, who) {
    for (const ref of world.entities().filter(({ type }) => type === 'VirtualMachine')) {
      const { status } = await fetchFrom(world, who, 'GET', `/screen?id=${ref.value}`);
      assert.equal(status === 403, !world.may(who, ref, 'VirtualMachine.Interact.CreateScreenshot'), ref.value);
    }
  },

  async metrics(world, who) {
    const { status, text } = await fetchFrom(world, who, 'GET', '/metrics');
    assert.equal(status, world.may(who, ROOT, 'System.Read') ? 200 : 403);
    for (const [, name] of text.matchAll(/\bvm="([^"]*)"/g)) {
      const vm = world
        .entities()
        .find((ref) => ref.type === 'VirtualMachine' && world.center.read(ref, 'name') === name);
      assert.ok(vm && world.may(who, vm, 'System.Read'), name);
    }
  },
};

/** As /folder names a datacenter. */
function pathOf(world: World, ref: MoRef): string {
  const path = [...ancestors(world, ref).toReversed().slice(1), ref];
  return path.map((one) => world.center.read<string>(one, 'name')).join('/');
}
