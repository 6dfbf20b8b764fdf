// For tests: screens behind tickets, and what else a secret alone opens on a host.
import assert from 'node:assert/strict';
import { moRefKey } from '@vivarium/vim';
import { ask, compareLease, compareWithoutLogin, type Tenant } from '@vivarium/vmomi/testing/tenant';
import { WebSocket } from 'ws';
import type { HostDoors, HostWorld } from '../world.ts';

const GREETING = 'RFB 003.008\n';
const REFUSED = 'Unexpected server response: 403';

export const consoleDoors: HostDoors = {
  async consoles(world, who) {
    for (const vm of world.entities().filter(({ type }) => type === 'VirtualMachine')) {
      const { fault, value } = await ask<{ ticket: string } | undefined>(world, who, vm, 'AcquireTicket', {
        ticketType: 'webmks',
      });
      assert.equal(
        fault === 'NoPermission',
        !world.may(who, vm, 'VirtualMachine.Interact.ConsoleInteract'),
        `${moRefKey(vm)}: ${fault}`,
      );
      if (fault !== undefined) continue;
      const path = `/ticket/${value?.ticket}`;
      assert.equal(await open(world, path), GREETING);
      assert.equal(await open(world, path), REFUSED, 'a ticket opens a screen once');
    }
    // Nothing of a login opens one.
    for (const guess of ['0'.repeat(48), who.session.id, who.session.key]) {
      assert.equal(await open(world, `/ticket/${guess}`, who), REFUSED, guess);
    }
    for (const path of ['/ticket/', '/sdk', '/screen?id=1', '/folder', '/']) {
      assert.equal(await open(world, path, who), REFUSED, path);
    }
  },

  async 'leases of others'(world, who) {
    await compareLease(world, who, world.lease, [world.lease.value.replace('haLease-', '')]);
    assert.equal(world.read(world.lease, 'state'), 'ready');
  },

  async 'what everybody is told'(world, who) {
    const names = world.entities().map((ref) => world.read<string>(ref, 'name'));
    await compareWithoutLogin(world, who, {
      open: {
        '/': 200,
        '/sdk': 405,
        '/sdk/': 405,
        '/sdk/vimServiceVersions.xml': 200,
        '/sdk/vimService.wsdl': 200,
        '/about': 200,
      },
      closed: ['/metrics', '/folder', '/folder/a?dsName=datastore1', '/screen?id=1'],
      secrets: names.filter((name) => /^(tenant-|esx|datastore1)/.test(name)),
    });
  },
};

/** The first that is said behind a door for WebSockets, or how it was refused. */
function open({ url }: HostWorld, path: string, who?: Tenant): Promise<string> {
  const headers = who ? { cookie: `vmware_soap_session="${who.session.id}"` } : {};
  const socket = new WebSocket(`${url.replace('https', 'wss')}${path}`, ['binary'], {
    headers,
    rejectUnauthorized: false,
  });
  return new Promise((resolve) => {
    socket.once('error', ({ message }) => resolve(message));
    socket.once('message', (said: Buffer) => {
      socket.terminate();
      resolve(said.toString('latin1'));
    });
    socket.once('close', (code) => resolve(`closed: ${code}`));
  });
}
