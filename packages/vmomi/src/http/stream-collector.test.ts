// Large answers of the PropertyCollector through the doors: streamed, they are what they would be at once.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { encodeJson, encodeSoapResponse, make, moRef, schema } from '@vivarium/vim';
import { type TestServer, testServer } from '../testing/test-server.ts';
import { ROOT, VM_FOLDER } from '../testing/test-service.ts';
import { CHUNK_BYTES } from './chunk-sink.ts';

const VMS = 300;
const VERSION = '8.0.3.0';

const SPEC = make('PropertyFilterSpec', {
  propSet: [
    make('PropertySpec', { type: 'VirtualMachine', pathSet: ['name', 'summary.quickStats', 'layout', 'parent'] }),
  ],
  objectSet: [
    make('ObjectSpec', {
      obj: VM_FOLDER,
      selectSet: [make('TraversalSpec', { type: 'Folder', path: 'childEntity', skip: false })],
    }),
  ],
});

async function world(context: TestContext): Promise<TestServer & { cookie: string }> {
  const server = await testServer(context);
  const { graph } = server.service;
  const refs = Array.from({ length: VMS }, (_, index) => moRef('VirtualMachine', `many-${index}`));
  for (const [index, ref] of refs.entries()) {
    graph.add<'VirtualMachine'>(ref, {
      name: `größer & <${index}>`,
      parent: VM_FOLDER,
      layout: make('VirtualMachineFileLayout', {
        logFile: Array.from({ length: 40 }, (__, log) => `[ds] ${index}/${log}`),
      }),
      summary: {
        quickStats: make('VirtualMachineQuickStats', { overallCpuUsage: index, guestHeartbeatStatus: 'green' }),
      } as never,
    });
  }
  graph.get(VM_FOLDER).set('childEntity', refs);
  return { ...server, cookie: `vmware_soap_session="${server.login('root').id}"` };
}

void test('RetrievePropertiesEx and WaitForUpdatesEx in SOAP, from the cache and not, plain and with gzip', async (context) => {
  const server = await world(context);
  const collector = server.service.content.propertyCollector;
  const { cookie } = server;
  const session = server.service.sessions.list().at(-1);
  const call = server.call(session, { version: VERSION });
  const retrieve = { specSet: [SPEC], options: make('RetrieveOptions', {}) };
  const atOnce = async (method: string, args: object) => {
    const result = await server.invoke(collector, method, args, call);
    return encodeSoapResponse(method, schema.declaredMethod(method)?.result ?? '', result, VERSION);
  };
  const expected = await atOnce('RetrievePropertiesEx', retrieve);
  assert.ok(expected.length > 3 * CHUNK_BYTES);
  for (const read of ['cold', 'warm']) {
    const plain = await server.soap(collector, 'RetrievePropertiesEx', retrieve, { cookie });
    assert.equal(plain.headers['transfer-encoding'], 'chunked');
    assert.equal(plain.text, expected, read);
  }
  const headers = { 'accept-encoding': 'gzip' };
  const zipped = await server.soap(collector, 'RetrievePropertiesEx', retrieve, { cookie, headers });
  assert.equal(gunzipSync(zipped.body).toString(), expected);

  await server.soap(collector, 'CreateFilter', { spec: SPEC, partialUpdates: false }, { cookie });
  const updates = await server.soap(collector, 'WaitForUpdatesEx', { version: '' }, { cookie });
  assert.equal(updates.headers['transfer-encoding'], 'chunked');
  assert.equal(updates.text, await atOnce('WaitForUpdatesEx', { version: '' }));
});

void test('RetrievePropertiesEx in VI/JSON', async (context) => {
  const server = await world(context);
  const collector = server.service.content.propertyCollector;
  const args = { specSet: [SPEC], options: make('RetrieveOptions', {}) };
  const result = await server.invoke(collector, 'RetrievePropertiesEx', args);
  const answer = await server.send(
    'POST',
    `/sdk/vim25/${VERSION}/PropertyCollector/${collector.value}/RetrievePropertiesEx`,
    {
      headers: { 'content-type': 'application/json', cookie: server.cookie },
      body: JSON.stringify(args),
    },
  );
  assert.equal(answer.headers['transfer-encoding'], 'chunked');
  assert.equal(answer.text, JSON.stringify(encodeJson('RetrieveResult', result, VERSION)));
});

void test('a reply shows one moment, also when something changes before the client has read it', async (context) => {
  const server = await world(context);
  const collector = server.service.content.propertyCollector;
  const { graph } = server.service;
  const paged = { specSet: [SPEC], options: make('RetrieveOptions', { maxObjects: 100 }) };
  const first = await server.invoke<{ token: string }>(collector, 'RetrievePropertiesEx', paged);
  const before = await server.invoke<{ objects: object[] }>(collector, 'RetrievePropertiesEx', {
    ...paged,
    options: make('RetrieveOptions', {}),
  });
  for (const vm of graph.ofType('VirtualMachine')) vm.set('name', 'changed');
  graph.get(VM_FOLDER).set('childEntity', []);
  graph.remove(moRef('VirtualMachine', 'many-150'));
  const second = await server.invoke<{ objects: object[] }>(collector, 'ContinueRetrievePropertiesEx', first);
  const text = (objects: object[]) => encodeSoapResponse('X', 'ObjectContent[]', objects, VERSION);
  assert.equal(text(second.objects), text(before.objects.slice(100, 200)));
  const { objects } = await server
    .invoke<{ objects: object[] }>(collector, 'RetrievePropertiesEx', {
      ...paged,
      specSet: [make('PropertyFilterSpec', { ...SPEC, objectSet: [make('ObjectSpec', { obj: ROOT })] })],
    })
    .then((after) => after ?? { objects: [] });
  assert.deepEqual(objects, []);
});
