// A malicious tenant looks through every door of a host; see compareSights. A whole hostd over VMs that run nothing, with random
// pools, users, groups, roles and permissions.
import { test } from 'node:test';
import { compareSights, drawFor } from '@vivarium/vmomi/testing/tenant';
import { DOORS } from '../testing/tenant/doors/index.ts';
import { type HostWorld, hostWorld } from '../testing/tenant/world.ts';

const ROUNDS = Number(process.env['VIVARIUM_TENANTS'] ?? 2);

void test('a tenant sees what its permissions say, through every door of a host', async (context) => {
  const draw = drawFor(context);
  const newWorld = () => hostWorld(context, draw);
  const changeInventory = (world: HostWorld) => world.changeInventory();
  await compareSights({ newWorld, changeInventory, doors: DOORS }, draw, ROUNDS);
});
