// For tests: what opens something by a secret alone: tickets for URLs, leases of imports.
import assert from 'node:assert/strict';
import type { MoRef } from '@vivarium/vim';
import { acquireServiceTicket, compareLease } from '@vivarium/vmomi/testing/tenant';
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
    await compareLease(world, who, world.lease, ['secret-of-imported']);
    assert.ok(world.hosts.every(({ files }) => ![...files.keys()].some((name) => name.startsWith('nfc '))));
  },
};
