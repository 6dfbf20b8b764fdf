// For tests: files of datastores, by /folder.
import assert from 'node:assert/strict';
import type { MoRef } from '@vivarium/vim';
import { ancestors, fetchFrom, type Tenant } from '@vivarium/vmomi/testing/tenant';
import type { CenterDoors, World } from '../world.ts';

export const fileDoors: CenterDoors = {
  async files(world, who) {
    const datacenters = world.entities().filter((ref) => ref.type === 'Datacenter');
    const { text } = await fetchFrom(world, who, 'GET', '/folder');
    for (const method of ['PUT', 'POST', 'DELETE'] as const) {
      assert.equal((await fetchFrom(world, who, method, '/folder', CONTENT)).status, 409);
    }
    for (const ref of datacenters) {
      const dcPath = encodeURIComponent(pathOf(world, ref));
      const isSeen = world.may(who, ref, 'System.View');
      assert.equal(text.includes(`dcPath=${dcPath}"`), isSeen, dcPath);
      const page = await fetchFrom(world, who, 'GET', `/folder?dcPath=${dcPath}`);
      assert.equal(page.status, isSeen ? 200 : 404, dcPath);
      for (const datastore of world.read<MoRef[]>(ref, 'datastore')) {
        const name = world.read<string>(datastore, 'name');
        const mayBrowse = world.may(who, datastore, 'Datastore.Browse');
        assert.equal(page.text.includes(`dsName=${encodeURIComponent(name)}"`), isSeen && mayBrowse, name);
        await compareFiles(
          world,
          who,
          datastore,
          (path) => `/folder/${path}?dcPath=${dcPath}&dsName=${encodeURIComponent(name)}`,
        );
      }
      const absent = await fetchFrom(world, who, 'GET', `/folder/a?dcPath=${dcPath}&dsName=absent`);
      assert.equal(absent.status, 404);
    }
  },
};

const CONTENT = 'what the tenant wrote';

/** A file is written, read as a whole and in part, listed and removed by those who may, and by nobody else. */
async function compareFiles(
  world: World,
  who: Tenant,
  datastore: MoRef,
  urlOf: (path: string) => string,
): Promise<void> {
  const mayManage = world.may(who, datastore, 'Datastore.FileManagement');
  const mayBrowse = world.may(who, datastore, 'Datastore.Browse');
  // Whoever may not even see the datastore is not told that there is one.
  const refusal = world.may(who, datastore, 'System.View') ? 403 : 404;
  const url = urlOf(`${datastore.value}/a.txt`);
  const transfers = () => world.hosts.reduce((sum, host) => sum + host.transfers.length, 0);
  const before = transfers();
  for (const [method, payload] of [['PUT', CONTENT], ['POST', CONTENT], ['GET'], ['HEAD'], ['DELETE']] as const) {
    const headers = method === 'GET' ? { range: 'bytes=0-3' } : {};
    const { status, text } = await fetchFrom(world, who, method, url, payload, headers);
    const isReading = method === 'GET' || method === 'HEAD';
    // Who may browse is told that a file is not there.
    const wanted = mayManage ? [200, 201, 204] : isReading && mayBrowse ? [403, 404] : [refusal];
    assert.ok(wanted.includes(status), `${method} ${url}: ${status}`);
    assert.equal(text.includes(CONTENT), mayManage && method === 'GET', method);
  }
  const listing = await fetchFrom(world, who, 'GET', urlOf(''));
  assert.equal(listing.status, mayBrowse ? 200 : mayManage ? 403 : refusal, url);
  if (!mayManage && !mayBrowse) assert.equal(transfers(), before, 'a host was asked');
}

/** As /folder names a datacenter. */
function pathOf(world: World, ref: MoRef): string {
  const path = [...ancestors(world, ref).toReversed().slice(1), ref];
  return path.map((one) => world.read<string>(one, 'name')).join('/');
}
