import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemRandom } from '@vivarium/base/node';
import { openMemoryStore } from '@vivarium/store';
import { registerAutomation } from './rest/automation.ts';
import { Tagging } from './tagging/tagging.ts';
import { smallCenter } from './testing/small-center.ts';
import { openCenterWeb } from './web.ts';

/** The status and the body of the answer to a path as it is, without any client's mending it. */
async function ask(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.end(`GET ${path} HTTP/1.1\r\nHost: vcenter\r\nConnection: close\r\n\r\n`);
  const answer = await text(socket);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]), body: answer.slice(answer.indexOf('\r\n\r\n') + 4) };
}

void test('paths that cannot be read, or are far too long, are refused as the door that they are for refuses', async (context) => {
  const { service } = await smallCenter(context);
  const store = openMemoryStore();
  const tagging = new Tagging(store, systemRandom);
  const web = await openCenterWeb({
    listen: { address: '127.0.0.1', port: 0 },
    service,
    log: silentLogger,
    doors: [(app) => registerAutomation(app, { service, tagging })],
  });
  try {
    const bad = await ask(web.port, '/api/vcenter/vm/%zz');
    assert.equal(bad.status, 400);
    assert.equal((JSON.parse(bad.body) as { error_type: string }).error_type, 'INVALID_REQUEST');
    const rest = await ask(web.port, '/rest/vcenter/vm/%zz');
    assert.equal(rest.status, 400);
    assert.equal((JSON.parse(rest.body) as { type: string }).type, 'com.vmware.vapi.std.errors.invalid_request');
    assert.match((await ask(web.port, '/%zz')).body, /^400 Bad Request: The URL cannot be read\.\n$/);
    const long = await ask(web.port, `/api/vcenter/vm/${'x'.repeat(5_000)}`);
    assert.equal(long.status, 401, 'it is a path as any other');
  } finally {
    await web.close();
    await store.close();
  }
});
