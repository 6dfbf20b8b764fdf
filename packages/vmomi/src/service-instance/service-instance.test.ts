import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moRef } from '@vivarium/vim';
import { type ROOT, testService } from '../testing/test-service.ts';
import { SERVICE_INSTANCE } from './service-instance.ts';

void test('the content names the managers as ESXi or as vCenter names them, and every one of them exists', async (context) => {
  const host = await testService(context);
  assert.equal(host.service.content.sessionManager?.value, 'ha-sessionmgr');
  assert.equal(host.service.content.accountManager?.value, 'ha-localacctmgr');
  const center = await testService(context, { instance: 'VirtualCenter' });
  assert.equal(center.service.content.sessionManager?.value, 'SessionManager');
  assert.equal(center.service.content.accountManager, undefined);
  for (const { service } of [host, center]) {
    for (const ref of Object.values(service.content)) {
      if (typeof ref === 'object' && 'value' in ref)
        assert.ok(service.graph.find(ref as typeof ROOT), String(ref.value));
    }
  }
});

void test('a daemon adds its own managers to the content', async (context) => {
  const { service, invoke } = await testService(context);
  const fileManager = moRef('FileManager', 'ha-nfc-file-manager');
  service.extendContent({ fileManager });
  const content = await invoke<typeof service.content>(SERVICE_INSTANCE, 'RetrieveServiceContent');
  assert.deepEqual(content.fileManager, fileManager);
  assert.deepEqual(service.graph.get(SERVICE_INSTANCE).get('content'), content);
});

void test("CurrentTime is the daemon's clock", async (context) => {
  const { invoke, clock } = await testService(context);
  await clock.advance(90_000);
  assert.equal(await invoke(SERVICE_INSTANCE, 'CurrentTime'), '2026-01-01T00:01:30.000Z');
  assert.deepEqual(await invoke(SERVICE_INSTANCE, 'Fetch', { prop: 'serverClock' }), {
    _typeName: 'dateTime',
    _value: '2026-01-01T00:01:30.000Z',
  });
});
