// For tests: what the Automation API lists, and its tags.
import assert from 'node:assert/strict';
import { type MoRef, moRefKey } from '@vivarium/vim';
import { fetchFrom, keys } from '@vivarium/vmomi/testing/tenant';
import { type CenterDoors, ROOT, type World } from '../world.ts';

export const automationDoors: CenterDoors = {
  async 'lists of REST'(world, who) {
    for (const [path, types, field] of REST_LISTS) {
      for (const prefix of ['/api', '/rest']) {
        const { status, body } = await fetchFrom(world, who, 'GET', `${prefix}/vcenter/${path}`);
        assert.equal(status, 200);
        const rows = (prefix === '/api' ? body : (body as { value: unknown }).value) as Record<string, string>[];
        const wanted = world.entities().filter((ref) => types.includes(ref.type) && world.may(who, ref, 'System.Read'));
        assert.deepEqual(rows.map((row) => row[field]).sort(), wanted.map(({ value }) => value).sort(), path);
      }
    }
    for (const ref of world.some()) {
      const path = REST_LISTS.find(([, types]) => types.includes(ref.type))?.[0];
      if (path === undefined || path === 'folder' || path === 'network' || path === 'host') continue;
      const { status } = await fetchFrom(world, who, 'GET', `/api/vcenter/${path}/${ref.value}`);
      // A VM of these hosts is too little for the whole of its answer.
      assert.equal(status === 403, !world.may(who, ref, 'System.Read'), moRefKey(ref));
      if (path !== 'vm') continue;
      const power = await fetchFrom(world, who, 'GET', `/api/vcenter/vm/${ref.value}/power`);
      assert.equal(power.status, world.may(who, ref, 'System.Read') ? 200 : 403, moRefKey(ref));
    }
  },

  async tags(world, who) {
    const mayTags = world.may(who, ROOT, 'System.Read');
    const url = '/api/cis/tagging/tag-association';
    for (const { type, value: id } of world.some()) {
      const { status } = await fetchFrom(world, who, 'POST', `${url}?action=list-attached-tags`, {
        object_id: { type, id },
      });
      assert.equal(status, world.may(who, { type, value: id } as MoRef, 'System.Read') ? 200 : 403, `${type}:${id}`);
    }
    const tag = await tagOf(world);
    const { status, body } = await fetchFrom(world, who, 'POST', `${url}/${tag}?action=list-attached-objects`);
    assert.equal(status, mayTags ? 200 : 403);
    if (!mayTags) return;
    const wanted = world.entities().filter((ref) => world.may(who, ref, 'System.Read'));
    const seen = (body as { type: string; id: string }[]).map(({ type, id }) => `${type}:${id}`);
    assert.deepEqual(seen.sort(), keys(wanted));
  },
};

const REST_LISTS: readonly (readonly [path: string, types: readonly string[], field: string])[] = [
  ['vm', ['VirtualMachine'], 'vm'],
  ['host', ['HostSystem'], 'host'],
  ['cluster', ['ClusterComputeResource'], 'cluster'],
  ['datacenter', ['Datacenter'], 'datacenter'],
  ['datastore', ['Datastore'], 'datastore'],
  ['network', ['Network', 'DistributedVirtualPortgroup'], 'network'],
  ['folder', ['Folder'], 'folder'],
  ['resource-pool', ['ResourcePool', 'VirtualApp'], 'resource_pool'],
];

const tags = new WeakMap<World, string>();

/** A tag on every entity. */
async function tagOf(world: World): Promise<string> {
  const known = tags.get(world);
  if (known !== undefined) return known;
  const category = await fetchFrom(world, world.admin, 'POST', '/api/cis/tagging/category', {
    name: 'c',
    description: '',
    cardinality: 'MULTIPLE',
    associable_types: [],
  });
  const made = await fetchFrom(world, world.admin, 'POST', '/api/cis/tagging/tag', {
    name: 't',
    description: '',
    category_id: category.body,
  });
  const tag = String(made.body);
  tags.set(world, tag);
  const objects = world.entities().map(({ type, value: id }) => ({ type, id }));
  const url = `/api/cis/tagging/tag-association/${tag}?action=attach-tag-to-multiple-objects`;
  const attached = await fetchFrom(world, world.admin, 'POST', url, { object_ids: objects });
  assert.deepEqual(attached.body, { success: true, error_messages: [] });
  return tag;
}
