import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemRandom } from '@vivarium/base/node';
import { MethodFault, moRef } from '@vivarium/vim';
import fastify from 'fastify';
import { ObjectGraph } from '../graph/object-graph.ts';
import type { Service } from '../service.ts';
import type { Session } from '../session/session.ts';
import { registerScreenRoute } from './screen-route.ts';

const VM = moRef('VirtualMachine', '7');
const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);

/** Whoever names himself is logged in; only root may take pictures. */
function door() {
  const graph = new ObjectGraph();
  graph.add(VM, { name: 'seven' }, {});
  const service = {
    graph,
    random: systemRandom,
    authenticate: async ({ headers }: { headers: Record<string, unknown> }) =>
      headers['x-user'] === undefined ? undefined : ({ isAnonymous: false, userName: headers['x-user'] } as Session),
    authorization: {
      check(session: Session, object: { ref: unknown }, privilegeId: string) {
        assert.deepEqual([object.ref, privilegeId], [VM, 'VirtualMachine.Interact.CreateScreenshot']);
        if (session.userName !== 'root') throw new MethodFault('NoPermission', { object: VM, privilegeId });
      },
    },
  } as unknown as Pick<Service, 'authenticate' | 'authorization' | 'graph' | 'random'>;
  const state = { isOn: true };
  const app = fastify();
  registerScreenRoute(app, {
    service,
    log: silentLogger,
    screenshot: async (vm, userName) => {
      assert.deepEqual([vm, userName], ['7', 'root']);
      if (state.isOn) return PNG;
      throw new MethodFault('InvalidPowerState', { requestedState: 'poweredOn', existingState: 'poweredOff' });
    },
  });
  const ask = (url: string, user?: string) =>
    app.inject({ url, headers: user === undefined ? {} : { 'x-user': user } });
  return { ask, state };
}

void test('the screen of a VM is a PNG', async () => {
  const { ask } = door();
  const response = await ask('/screen?id=7', 'root');
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'image/png');
  assert.deepEqual(new Uint8Array(response.rawPayload), PNG);
});

void test('nobody sees a screen without login, privilege, VM, or power', async () => {
  const { ask, state } = door();
  assert.equal((await ask('/screen?id=7')).statusCode, 401);
  assert.equal((await ask('/screen?id=7', 'guest')).statusCode, 403);
  assert.equal((await ask('/screen?id=8', 'root')).statusCode, 404);
  assert.equal((await ask('/screen', 'root')).statusCode, 404);
  state.isOn = false;
  assert.equal((await ask('/screen?id=7', 'root')).statusCode, 409);
});
