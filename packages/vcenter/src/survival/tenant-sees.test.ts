// A malicious tenant looks through every door of a vCenter; see compareSights. Random inventories, users, groups, roles and
// permissions.
import { test } from 'node:test';
import { compareSights, drawFor } from '@vivarium/vmomi/testing/tenant';
import { DOORS } from '../testing/tenant/doors/index.ts';
import { tenantWorld, type World } from '../testing/tenant/world.ts';

const ROUNDS = Number(process.env['VIVARIUM_TENANTS'] ?? 2);
/** See tenant-automation.test.ts. */
const AUTOMATION = /^\w+ \/(api|rest)(\/|$)/;

void test('a tenant sees what its permissions say, through every door', async (context) => {
  const draw = drawFor(context);
  const newWorld = () => tenantWorld(context, draw);
  const changeInventory = (world: World) => world.changeInventory();
  await compareSights({ newWorld, changeInventory, doors: DOORS, elsewhere: AUTOMATION }, draw, ROUNDS);
});
