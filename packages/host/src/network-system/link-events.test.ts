import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL_CONFIGURATION } from '../network/configuration.ts';
import { linkEvents } from './link-events.ts';

const [vSwitch0] = INITIAL_CONFIGURATION.switches;
assert.ok(vSwitch0);
const withUplinks = (...uplinks: string[]) => ({
  ...INITIAL_CONFIGURATION,
  switches: [{ ...vSwitch0, uplinks } as typeof vSwitch0],
});

function told(uplinks: Record<string, [boolean | undefined, boolean | undefined]>): string[] {
  const links = (at: 0 | 1) =>
    new Map(
      Object.entries(uplinks).flatMap(([name, states]) => (states[at] === undefined ? [] : [[name, states[at]]])),
    );
  const events = linkEvents('esx', withUplinks(...Object.keys(uplinks)), links(0), links(1));
  return events.map((event) => (event as unknown as { eventTypeId: string }).eventTypeId);
}

test('the only uplink that is lost takes the connection along, and brings it back', () => {
  assert.deepEqual(told({ vmnic0: [true, false] }), [
    'esx.problem.net.vmnic.linkstate.down',
    'esx.problem.net.connectivity.lost',
  ]);
  assert.deepEqual(told({ vmnic0: [false, true] }), [
    'esx.clear.net.vmnic.linkstate.up',
    'esx.clear.net.connectivity.restored',
  ]);
});

test('one of several that is lost leaves less redundancy', () => {
  const up = [true, true] as [boolean, boolean];
  assert.deepEqual(told({ vmnic0: [true, false], vmnic1: up })[1], 'esx.problem.net.redundancy.lost');
  assert.deepEqual(told({ vmnic0: [true, false], vmnic1: up, vmnic2: up })[1], 'esx.problem.net.redundancy.degraded');
  assert.deepEqual(told({ vmnic0: [false, true], vmnic1: up })[1], 'esx.clear.net.redundancy.restored');
});

test('what has not changed, or has just come or gone, is not told', () => {
  const states = { vmnic0: [true, true], vmnic1: [undefined, false], vmnic2: [true, undefined] } as const;
  assert.deepEqual(told(states as unknown as Parameters<typeof told>[0]), []);
});

test('an event says which adapter and which port groups it is about', () => {
  const [, event] = linkEvents('esx', withUplinks('vmnic0'), new Map([['vmnic0', true]]), new Map([['vmnic0', false]]));
  assert.match(
    (event as unknown as { message: string }).message,
    /"vSwitch0".*vmnic0.*"VM Network", "Management Network"/,
  );
});
