import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseUplink } from './choose-uplink.ts';
import type { NicTeaming } from './configuration.ts';

const team = (policy: NicTeaming['policy'], active: readonly string[], standby: readonly string[] = []) => ({
  policy,
  active,
  standby,
});
const without =
  (...down: readonly string[]) =>
  (uplink: string) =>
    !down.includes(uplink);

test('by originating port, ports are spread over the active uplinks, and each keeps its own', () => {
  const teaming = team('loadbalance_srcid', ['vmnic0', 'vmnic1'], ['vmnic2']);
  const chosen = [1, 2, 3, 4].map((portId) => chooseUplink(teaming, portId, without()));
  assert.deepEqual(chosen, ['vmnic1', 'vmnic0', 'vmnic1', 'vmnic0']);
});

test('a port stays with its uplink when others lose their links', () => {
  const teaming = team('loadbalance_srcid', ['vmnic0', 'vmnic1', 'vmnic2']);
  for (const portId of [0, 1, 2, 3, 4, 5]) {
    const before = chooseUplink(teaming, portId, without());
    const after = chooseUplink(teaming, portId, without('vmnic0'));
    if (before === 'vmnic0') assert.notEqual(after, 'vmnic0');
    else assert.equal(after, before);
  }
});

test('a standby uplink takes the place of an active one without a link, and gives it back', () => {
  const teaming = team('loadbalance_srcid', ['vmnic0', 'vmnic1'], ['vmnic2']);
  const used = (...down: readonly string[]) =>
    new Set([1, 2, 3, 4].map((portId) => chooseUplink(teaming, portId, without(...down))));
  assert.deepEqual(used('vmnic0'), new Set(['vmnic2', 'vmnic1']));
  assert.deepEqual(used('vmnic0', 'vmnic1'), new Set(['vmnic2']));
  assert.deepEqual(used(), new Set(['vmnic0', 'vmnic1']));
});

test('with an explicit failover order everything goes by the first that has a link', () => {
  const teaming = team('failover_explicit', ['vmnic1', 'vmnic0'], ['vmnic2']);
  assert.equal(chooseUplink(teaming, 1, without()), 'vmnic1');
  assert.equal(chooseUplink(teaming, 2, without('vmnic1')), 'vmnic0');
  assert.equal(chooseUplink(teaming, 3, without('vmnic1', 'vmnic0')), 'vmnic2');
});

test('without a link, or without uplinks, nothing leaves', () => {
  assert.equal(chooseUplink(team('loadbalance_srcid', ['vmnic0']), 1, without('vmnic0')), undefined);
  assert.equal(chooseUplink(team('loadbalance_srcid', []), 1, without()), undefined);
  assert.equal(chooseUplink(team('failover_explicit', [], ['vmnic1']), 1, without()), 'vmnic1');
});
