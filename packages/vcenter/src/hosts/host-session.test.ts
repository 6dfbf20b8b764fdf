import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { HandClock } from '@vivarium/store/testing';
import { moRef } from '@vivarium/vim';
import { HostUnreachable } from '../host-link/host-link.ts';
import { ConnectGate } from './connect-gate.ts';
import { HostSession } from './host-session.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

void test('a host that is gone is tried again and again, and that is logged once for each reason', async () => {
  const clock = new HandClock();
  const logged: string[] = [];
  const warn = ({ err }: { err: Error }) => void logged.push(err.message);
  let reason = 'refused';
  let dialled = 0;
  const session = new HostSession({
    host: moRef('HostSystem', 'host-1'),
    target: () => ({ address: 'esx1', port: 443, thumbprint: undefined }),
    dialer: {
      dial: async () => {
        dialled += 1;
        throw new HostUnreachable(reason);
      },
    } as never,
    claim: async () => {},
    taken: async () => {},
    mirror: { begin() {}, lost() {} } as never,
    gate: new ConnectGate(clock),
    clock,
    random: { bytes: (count) => new Uint8Array(count) },
    log: { ...silentLogger, warn: warn as never },
    stateChanged: () => {},
    begun: () => {},
  });
  const tries = async (count: number) => {
    for (const end = dialled + count; dialled < end; clock.run(15_000)) await turn();
    await turn();
  };
  session.connect();
  await tries(5);
  assert.deepEqual(logged, ['refused']);
  reason = 'no route';
  await tries(5);
  assert.deepEqual(logged, ['refused', 'no route']);
  assert.equal(session.state, 'notResponding');
  await session.disconnect();
});
