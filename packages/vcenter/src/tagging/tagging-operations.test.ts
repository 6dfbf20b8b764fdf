import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SmallCenter, smallCenter } from '../testing/small-center.ts';
import { DATACENTER, ROOT } from '../testing/small-inventory.ts';

const REST = '/rest/com/vmware/cis/tagging';
const API = '/api/cis/tagging';
const WEB = { type: 'VirtualMachine', id: 'vm-31' };
const DB = { type: 'VirtualMachine', id: 'vm-32' };
const HOST = { type: 'HostSystem', id: 'host-8' };
const create_spec = { name: 'os', description: 'What runs', cardinality: 'MULTIPLE', associable_types: [] };

async function world(context: Parameters<typeof smallCenter>[0]) {
  const center = await smallCenter(context);
  const rest = async (method: string, path: string, body?: unknown) => {
    const answer = await center.send(method, REST + path, body);
    assert.equal(answer.status, 200, answer.text);
    return (answer.body as { value?: unknown } | undefined)?.value;
  };
  const api = async (method: string, path: string, body?: unknown) => {
    const answer = await center.send(method, API + path, body);
    assert.ok(answer.status < 300, answer.text);
    return answer.body;
  };
  const category = String(await rest('POST', '/category', { create_spec }));
  const tag = async (name: string) =>
    String(await rest('POST', '/tag', { create_spec: { name, description: '', category_id: category } }));
  return { ...center, rest, api, category, tag };
}

void test('categories and tags by /rest', async (context) => {
  const { rest, category, tag } = await world(context);
  const debian = await tag('debian');
  assert.deepEqual(await rest('GET', '/category'), [category]);
  const { name, description, cardinality, associable_types } = create_spec;
  const shown = { id: category, name, description, cardinality, associable_types, used_by: [] };
  assert.deepEqual(await rest('GET', `/category/id:${category}`), shown);
  await rest('PATCH', `/category/id:${category}`, { update_spec: { name: 'system', description: 'x' } });
  await rest('POST', `/category/id:${category}?~action=add-to-used-by`, { used_by_entity: 'ann' });
  assert.deepEqual(await rest('GET', `/category/id:${encodeURIComponent(category)}`), {
    ...shown,
    name: 'system',
    description: 'x',
    used_by: ['ann'],
  });
  assert.deepEqual(await rest('POST', '/category?~action=list-used-categories', { used_by_entity: 'ann' }), [category]);
  await rest('POST', `/category/id:${category}?~action=remove-from-used-by`, { used_by_entity: 'ann' });
  assert.deepEqual(await rest('POST', '/category?~action=list-used-categories', { used_by_entity: 'ann' }), []);

  assert.deepEqual(await rest('GET', '/tag'), [debian]);
  // govmomi sends the category in path and body
  const list = `/tag/id:${category}?~action=list-tags-for-category`;
  assert.deepEqual(await rest('POST', list, { category_id: category }), [debian]);
  assert.deepEqual(await rest('POST', list), [debian]);
  await rest('PATCH', `/tag/id:${debian}`, { update_spec: { name: 'Debian' } });
  const model = { id: debian, category_id: category, name: 'Debian', description: '', used_by: [] };
  assert.deepEqual(await rest('GET', `/tag/id:${debian}`), model);
  await rest('DELETE', `/tag/id:${debian}`);
  await rest('DELETE', `/category/id:${category}`);
  assert.deepEqual(await rest('GET', '/category'), []);
});

void test('categories and tags by /api', async (context) => {
  const { api, send } = await world(context);
  const created = await send('POST', `${API}/category`, { ...create_spec, name: 'b' });
  assert.equal(created.status, 201);
  const category = String(created.body);
  const tag = String(await api('POST', '/tag', { name: 't', description: '', category_id: category }));
  assert.deepEqual(await api('POST', '/tag?action=list-tags-for-category', { category_id: category }), [tag]);
  assert.equal((await send('PATCH', `${API}/tag/${tag}`, { description: 'y' })).status, 204);
  assert.equal(((await api('GET', `/tag/${tag}`)) as { description: string }).description, 'y');
  assert.equal((await send('DELETE', `${API}/category/${category}`)).status, 204);
  const { status, body } = await send('GET', `${API}/tag/${tag}`);
  assert.equal(status, 404);
  const text = `Tagging object ${tag} not found`;
  assert.deepEqual(body, {
    error_type: 'NOT_FOUND',
    messages: [{ id: 'cis.tagging.objectNotFound.error', default_message: text, args: [tag] }],
  });
});

for (const form of ['rest', 'api'] as const) {
  void test(`tags are attached, listed and detached by /${form}`, async (context) => {
    const { [form]: ask, tag } = await world(context);
    const [a, b] = [await tag('a'), await tag('b')];
    const [one, all] = [
      form === 'rest' ? (id: string, action: string) => `/tag-association/id:${id}?~action=${action}` : undefined,
      form === 'rest' ? '/tag-association?~action=' : '/tag-association?action=',
    ];
    const on = one ?? ((id: string, action: string) => `/tag-association/${id}?action=${action}`);
    await ask('POST', on(a, 'attach'), { object_id: WEB });
    const batch = await ask('POST', `${all}attach-multiple-tags-to-object`, { object_id: DB, tag_ids: [a, b] });
    assert.deepEqual(batch, { success: true, error_messages: [] });
    await ask('POST', on(b, 'attach-tag-to-multiple-objects'), { object_ids: [WEB, HOST] });
    assert.deepEqual(await ask('POST', `${all}list-attached-tags`, { object_id: WEB }), [a, b]);
    assert.deepEqual(await ask('POST', on(b, 'list-attached-objects'), null), [DB, WEB, HOST]);
    assert.deepEqual(await ask('POST', `${all}list-attached-objects-on-tags`, { tag_ids: [a, 'urn:none'] }), [
      { tag_id: a, object_ids: [WEB, DB] },
    ]);
    const unknown = { type: 'VirtualMachine', id: 'vm-999' };
    assert.deepEqual(
      await ask('POST', `${all}list-attached-tags-on-objects`, {
        object_ids: [HOST, unknown, { ...WEB, id: 'vm-34' }],
      }),
      [{ object_id: HOST, tag_ids: [b] }],
    );
    assert.deepEqual(await ask('POST', `${all}list-attachable-tags`, { object_id: HOST }), [a]);
    await ask('POST', on(a, 'detach'), { object_id: WEB });
    await ask('POST', on(b, 'detach-tag-from-multiple-objects'), { object_ids: [WEB, HOST] });
    await ask('POST', `${all}detach-multiple-tags-from-object`, { object_id: DB, tag_ids: [a] });
    assert.deepEqual(await ask('POST', on(b, 'list-attached-objects')), [DB]);
  });
}

void test('types may be written as urn:vim25:…, as Terraform does, and are told without it', async (context) => {
  const { api, tag } = await world(context);
  const types = ['urn:vim25:VirtualMachine', 'VirtualMachine', 'urn:vim25:Folder'];
  const spec = { ...create_spec, name: 'by terraform', associable_types: types };
  const category = String(await api('POST', '/category', spec));
  const told = (await api('GET', `/category/${category}`)) as { associable_types: string[] };
  assert.deepEqual(told.associable_types, ['VirtualMachine', 'Folder']);
  await api('PATCH', `/category/${category}`, { associable_types: [...types, 'urn:vim25:Datacenter'] });
  const a = await tag('a');
  await api('POST', `/tag-association/${a}?action=attach`, { object_id: { ...WEB, type: 'urn:vim25:VirtualMachine' } });
  assert.deepEqual(await api('POST', '/tag-association?action=list-attached-tags', { object_id: WEB }), [a]);
  const asNetwork = { type: 'Network', id: 'dvportgroup-14' };
  await api('POST', `/tag-association/${a}?action=attach`, { object_id: asNetwork });
  assert.deepEqual(await api('POST', `/tag-association/${a}?action=list-attached-objects`), [
    WEB,
    { type: 'DistributedVirtualPortgroup', id: 'dvportgroup-14' },
  ]);
});

void test('a batch does what it can and tells of the rest', async (context) => {
  const { send, tag } = await world(context);
  const [a, gone] = [await tag('a'), 'urn:vmomi:InventoryServiceTag:31e55277-ca60-482a-899b-232184be224c:GLOBAL'];
  const { body } = await send('POST', `${API}/tag-association?action=attach-multiple-tags-to-object`, {
    object_id: WEB,
    tag_ids: [gone, a],
  });
  assert.deepEqual(body, {
    success: false,
    error_messages: [
      {
        id: 'cis.tagging.objectNotFound.error',
        default_message: `Tagging object ${gone} not found`,
        args: [gone],
      },
    ],
  });
  const attached = await send('POST', `${API}/tag-association?action=list-attached-tags`, { object_id: WEB });
  assert.deepEqual(attached.body, [a]);
});

void test('tagging needs its privileges, on the root and on the object', async (context) => {
  const { tag, category, send, service, domain, logIn } = await world(context);
  const a = await tag('a');
  await domain.addUser('ann', 'Sesame.1');
  const principal = 'VIVARIUM.LOCAL\\ann';
  const { authorization } = service;
  const grant = (entity: typeof ROOT | typeof DATACENTER, roleId: number) =>
    authorization.grant(entity, [{ principal, isGroup: false, roleId, propagate: true }]);
  const attach = () => send('POST', `${API}/tag-association/${a}?action=attach`, { object_id: WEB }, ann);
  const list = (path: string) => send('GET', API + path, undefined, ann);

  await grant(DATACENTER, -1);
  const ann = await logIn('ann', 'Sesame.1');
  assert.deepEqual((await list('/tag')).body, [], 'tags are seen from the root only');
  assert.deepEqual((await list('/category')).body, []);
  assert.equal((await list(`/tag/${a}`)).status, 403);
  assert.equal((await attach()).status, 403);

  const tagger = await authorization.addRole('tagger', ['InventoryService.Tagging.AttachTag']);
  await grant(ROOT, tagger);
  await authorization.revoke(DATACENTER, principal, false);
  assert.deepEqual((await list('/tag')).body, [a]);
  assert.equal((await attach()).status, 403, 'the object has a say too');
  await authorization.updateRole(tagger, 'tagger', [
    'InventoryService.Tagging.AttachTag',
    'InventoryService.Tagging.ObjectAttachable',
  ]);
  assert.equal((await attach()).status, 204);
  for (const [method, path, body] of [
    ['POST', '/category', { ...create_spec, name: 'x' }],
    ['PATCH', `/category/${category}`, {}],
    ['DELETE', `/category/${category}`],
    ['POST', '/tag', { name: 'x', description: '', category_id: category }],
    ['PATCH', `/tag/${a}`, {}],
    ['DELETE', `/tag/${a}`],
    ['POST', `/tag/${a}?action=add-to-used-by`, { used_by_entity: 'ann' }],
  ] as const)
    assert.equal((await send(method, API + path, body, ann)).status, 403, `${method} ${path}`);
});

void test('whoever does not see everything learns nothing of objects elsewhere', async (context) => {
  const { tag, send, service, domain, logIn } = await world(context);
  const a = await tag('a');
  await domain.addUser('ann', 'Sesame.1');
  const tagger = await service.authorization.addRole('tagger', [
    'InventoryService.Tagging.AttachTag',
    'InventoryService.Tagging.ObjectAttachable',
  ]);
  const permission = { principal: 'VIVARIUM.LOCAL\\ann', isGroup: false, propagate: false };
  await service.authorization.grant(ROOT, [{ ...permission, roleId: tagger }]);
  const ann = await logIn('ann', 'Sesame.1');
  await attachAs(send, a, WEB);
  const objects = await send('POST', `${API}/tag-association/${a}?action=list-attached-objects`, undefined, ann);
  assert.deepEqual(objects.body, []);
  const missing = { type: 'VirtualMachine', id: 'vm-999' };
  const tags = await send(
    'POST',
    `${API}/tag-association?action=list-attached-tags-on-objects`,
    { object_ids: [WEB, missing] },
    ann,
  );
  assert.deepEqual(tags.body, []);
  assert.equal((await attachAs(send, a, WEB, ann)).status, 403);
});

function attachAs(send: SmallCenter['send'], tag: string, object: object, headers?: Record<string, string>) {
  return send('POST', `${API}/tag-association/${tag}?action=attach`, { object_id: object }, headers);
}
