// For tests: what is served beside the API on every daemon: pictures of screens, figures, and what a ticket opens.
import assert from 'node:assert/strict';
import type { MoRef } from '@vivarium/vim';
import { ask, fetchFrom } from '../ask.ts';
import { content, type Doors } from '../door.ts';
import type { Tenant, World } from '../world.ts';

export const serviceDoors: Doors = {
  async screens(world, who) {
    for (const ref of world.entities().filter(({ type }) => type === 'VirtualMachine')) {
      const { status } = await fetchFrom(world, who, 'GET', `/screen?id=${ref.value}`);
      assert.equal(status === 403, !world.may(who, ref, 'VirtualMachine.Interact.CreateScreenshot'), ref.value);
    }
  },

  async metrics(world, who) {
    const { status, text } = await fetchFrom(world, who, 'GET', '/metrics');
    assert.equal(status, world.may(who, world.root, 'System.Read') ? 200 : 403);
    if (status !== 200) return;
    for (const [label, type] of LABELS) {
      const shown = new Set(Array.from(text.matchAll(new RegExp(`\\b${label}="([^"]*)"`, 'g')), ([, id]) => id));
      const ofType = world.entities().filter((ref) => ref.type === type);
      const hidden = ofType.filter((ref) => shown.has(ref.value) && !world.may(who, ref, 'System.Read'));
      assert.deepEqual(hidden, [], label);
      if (type !== 'VirtualMachine') continue;
      // Every running VM whose processors are known has figures.
      const isMeasured = (ref: MoRef) =>
        world.read(ref, 'runtime.powerState') === 'poweredOn' && world.read(ref, 'summary.config.numCpu') !== undefined;
      const missing = ofType.filter(
        (ref) => isMeasured(ref) && world.may(who, ref, 'System.Read') && !shown.has(ref.value),
      );
      assert.deepEqual(missing, [], label);
    }
  },

  async 'service tickets'(world, who) {
    const mine = '/folder?dcPath=none';
    if (!world.may(who, world.root, 'System.View')) return;
    const { value } = await acquireServiceTicket(world, who, `${world.url}${mine}`);
    const { id } = value;
    const asked = async (url: string) =>
      (await fetchFrom(world, nobody(who), 'GET', url, undefined, { cookie: `vmware_cgi_ticket=${id}` })).status;
    assert.equal(await asked('/folder'), 401);
    assert.equal(await asked('/metrics'), 401);
    assert.equal(await asked('/screen?id=vm-1'), 401);
    // No datacenter is called so.
    assert.equal(await asked(mine), 404);
    assert.equal(await asked(mine), 401);
  },
};

const LABELS = [
  ['vm', 'VirtualMachine'],
  ['host', 'HostSystem'],
  ['datastore', 'Datastore'],
] as const;

/** Somebody without a login. */
export function nobody(who: Tenant): Tenant {
  return { ...who, session: { ...who.session, id: '' } };
}

export function acquireServiceTicket(world: World, who: Tenant, url: string) {
  const spec = { _typeName: 'SessionManagerHttpServiceRequestSpec', method: 'httpGet', url };
  return ask<{ id: string }>(world, who, content(world).sessionManager, 'AcquireGenericServiceTicket', { spec });
}

/** `open`: with the status of each. Whoever has no login is told none of the secrets there, and is refused what is closed. */
export async function compareWithoutLogin(
  world: World,
  who: Tenant,
  paths: {
    readonly open: Readonly<Record<string, number>>;
    readonly closed: readonly string[];
    readonly secrets: readonly string[];
  },
): Promise<void> {
  for (const [path, wanted] of Object.entries(paths.open)) {
    const { status, text } = await fetchFrom(world, nobody(who), 'GET', path);
    assert.equal(status, wanted, path);
    const told = paths.secrets.filter((name) => new RegExp(`\\b${name}\\b`).test(text));
    assert.deepEqual(told, [], path);
  }
  for (const path of paths.closed) {
    for (const method of ['GET', 'HEAD'] as const) {
      assert.equal((await fetchFrom(world, nobody(who), method, path)).status, 401, path);
    }
  }
  const { sessionManager } = content(world);
  assert.equal((await ask(world, nobody(who), sessionManager, 'AcquireCloneTicket')).fault, 'NotAuthenticated');
}
