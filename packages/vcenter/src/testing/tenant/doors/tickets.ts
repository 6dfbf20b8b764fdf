// For tests: what opens something by a secret alone: tickets for URLs, leases of imports.
import assert from 'node:assert/strict';
import type { MoRef } from '@vivarium/vim';
import { ask, fetchFrom, read } from '../ask.ts';
import { content, type Doors } from '../door.ts';
import { ROOT, type Tenant, type World } from '../world.ts';

export const ticketDoors: Doors = {
  async 'service tickets'(world, who) {
    const mine = '/folder?dcPath=';
    if (!world.may(who, ROOT, 'System.View')) return;
    const { value } = await acquire(world, who, `${world.url}${mine}`);
    const { id } = value;
    const nobody: Tenant = { ...who, session: { ...who.session, id: '' } };
    const asked = async (url: string) =>
      (await fetchFrom(world, nobody, 'GET', url, undefined, { cookie: `vmware_cgi_ticket=${id}` })).status;
    assert.equal(await asked('/folder'), 401);
    assert.equal(await asked('/metrics'), 401);
    assert.equal(await asked('/screen?id=vm-1'), 401);
    // No datacenter is called so.
    assert.equal(await asked(mine), 404);
    assert.equal(await asked(mine), 401);
  },

  async "service tickets for hosts' files"(world, who) {
    if (!world.may(who, ROOT, 'System.View')) return;
    for (const host of world.entities().filter(({ type }) => type === 'HostSystem')) {
      const address = world.center.read<string>(host, 'name');
      for (const datastore of world.center.read<MoRef[]>(host, 'datastore')) {
        const dsName = world.center.read<string>(datastore, 'name');
        const url = `https://${address}/folder/a?dcPath=ha-datacenter&dsName=${encodeURIComponent(dsName)}`;
        const { fault } = await acquire(world, who, url);
        const mayManage = world.may(who, datastore, 'Datastore.FileManagement');
        assert.equal(fault === 'NoPermission', !mayManage, `${url}: ${fault}`);
      }
    }
  },

  async 'leases of others'(world, who) {
    const { lease } = world;
    assert.equal((await read(world, who, lease, 'info')).fault, 'ManagedObjectNotFound');
    for (const [method, args] of [
      ['HttpNfcLeaseProgress', { percent: 1 }],
      ['HttpNfcLeaseAbort', {}],
      ['HttpNfcLeaseComplete', {}],
    ] as const) {
      assert.equal((await ask(world, who, lease, method, args)).fault, 'ManagedObjectNotFound');
    }
    for (const method of ['POST', 'PUT'] as const) {
      for (const guess of [lease.value, 'secret-of-imported', '0'.repeat(48)]) {
        const { status } = await fetchFrom(
          world,
          who,
          method,
          `/nfc/${encodeURIComponent(guess)}/disk-0.vmdk`,
          'bytes',
        );
        assert.equal(status, 404, guess);
      }
    }
    assert.ok(world.hosts.every(({ files }) => ![...files.keys()].some((name) => name.startsWith('nfc '))));
  },
};

function acquire(world: World, who: Tenant, url: string) {
  const spec = { _typeName: 'SessionManagerHttpServiceRequestSpec', method: 'httpGet', url };
  return ask<{ id: string }>(world, who, content(world).sessionManager, 'AcquireGenericServiceTicket', { spec });
}
