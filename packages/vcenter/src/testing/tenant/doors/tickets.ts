// For tests: what opens something by a secret alone: tickets for URLs, leases of imports.
import assert from 'node:assert/strict';
import type { MoRef } from '@vivarium/vim';
import { acquireServiceTicket, ask, fetchFrom, read } from '@vivarium/vmomi/testing/tenant';
import { type CenterDoors, ROOT } from '../world.ts';

export const ticketDoors: CenterDoors = {
  async "service tickets for hosts' files"(world, who) {
    if (!world.may(who, ROOT, 'System.View')) return;
    for (const host of world.entities().filter(({ type }) => type === 'HostSystem')) {
      const address = world.read<string>(host, 'name');
      for (const datastore of world.read<MoRef[]>(host, 'datastore')) {
        const dsName = world.read<string>(datastore, 'name');
        const url = `https://${address}/folder/a?dcPath=ha-datacenter&dsName=${encodeURIComponent(dsName)}`;
        const { fault } = await acquireServiceTicket(world, who, url);
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
