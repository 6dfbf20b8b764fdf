// For tests: files of a host's datastores, by /folder.
import assert from 'node:assert/strict';
import type { MoRef } from '@vivarium/vim';
import { fetchFrom, type Tenant } from '@vivarium/vmomi/testing/tenant';
import { refs } from '../../../inventory/refs.ts';
import type { HostDoors, HostWorld } from '../world.ts';

const CONTENT = 'Secret text';
const DATACENTER = 'ha-datacenter';

export const fileDoors: HostDoors = {
  async files(world, who) {
    const top = await fetchFrom(world, who, 'GET', '/folder');
    assert.equal(top.status, 200);
    for (const method of ['PUT', 'POST', 'DELETE'] as const) {
      assert.equal((await fetchFrom(world, who, method, '/folder', CONTENT)).status, 409);
    }
    const page = await fetchFrom(world, who, 'GET', `/folder?dcPath=${DATACENTER}`);
    assert.equal(page.status, 200);
    for (const datastore of world.read<MoRef[]>(refs.datacenter as MoRef, 'datastore')) {
      const dsName = encodeURIComponent(world.read<string>(datastore, 'name'));
      assert.equal(page.text.includes(`dsName=${dsName}"`), world.may(who, datastore, 'Datastore.Browse'), dsName);
      await compareFiles(world, who, datastore, dsName);
    }
    for (const url of [`/folder/a?dcPath=${DATACENTER}&dsName=absent`, '/folder/a?dcPath=other&dsName=datastore1']) {
      assert.equal((await fetchFrom(world, who, 'GET', url)).status, 404, url);
    }
  },
};

/** A file is written, read as a whole and in part, listed and removed by those who may, and by nobody else. */
async function compareFiles(world: HostWorld, who: Tenant, datastore: MoRef, dsName: string): Promise<void> {
  const mayManage = world.may(who, datastore, 'Datastore.FileManagement');
  const mayBrowse = world.may(who, datastore, 'Datastore.Browse');
  // Whoever may not even see the datastore is not told that there is one.
  const refusal = world.may(who, datastore, 'System.View') ? 403 : 404;
  const where = `dcPath=${DATACENTER}&dsName=${dsName}`;
  const [kept, own] = ['kept.txt', 'own.txt'].map((name) => `/folder/${name}?${where}`) as [string, string];
  assert.ok((await fetchFrom(world, world.admin, 'PUT', kept, CONTENT)).status < 300);
  for (const [method, payload] of [['PUT', CONTENT], ['POST', CONTENT], ['GET'], ['HEAD'], ['DELETE']] as const) {
    const headers = method === 'GET' ? { range: 'bytes=0-5' } : {};
    const { status, text } = await fetchFrom(world, who, method, own, payload, headers);
    const isReading = method === 'GET' || method === 'HEAD';
    // Who may browse is told that a file is not there.
    const wanted = mayManage ? [200, 201, 204, 206] : isReading && mayBrowse ? [403, 404] : [refusal];
    assert.ok(wanted.includes(status), `${method} ${own}: ${status}`);
    assert.equal(text.includes(CONTENT.slice(0, 6)), mayManage && method === 'GET', method);
  }
  if (!mayManage) {
    for (const method of ['PUT', 'POST', 'DELETE'] as const) await fetchFrom(world, who, method, kept, 'spoiled');
  }
  const { text, status } = await fetchFrom(world, who, 'GET', kept);
  assert.equal(text === CONTENT, mayManage, kept);
  if (!mayManage) assert.equal(status, mayBrowse ? 403 : refusal, kept);
  assert.equal((await fetchFrom(world, world.admin, 'GET', kept)).text, CONTENT);
  const listing = await fetchFrom(world, who, 'GET', `/folder/?${where}`);
  assert.equal(listing.status, mayBrowse ? 200 : mayManage ? 403 : refusal, dsName);
}
