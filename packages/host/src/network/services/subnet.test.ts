import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressAt, chooseAddressPlan, formatSubnet, overlaps, parseSubnet, type Subnet } from './subnet.ts';

const subnet = (text: string): Subnet => parseSubnet(text) ?? assert.fail(text);

test('subnets are read and written, with their host bits cleared', () => {
  assert.equal(formatSubnet(subnet('192.0.2.77/24')), '192.0.2.0/24');
  assert.equal(formatSubnet(subnet('255.255.255.255')), '255.255.255.255/32');
  assert.equal(addressAt(subnet('10.86.3.0/24'), 254), '10.86.3.254');
  for (const bad of ['', 'fd00::/64', '1.2.3/8', '1.2.3.256/8', '1.2.3.4/33', '1.2.3.4/8 ']) {
    assert.equal(parseSubnet(bad), undefined, bad);
  }
});

test('overlapping means having an address in common', () => {
  assert.ok(overlaps(subnet('10.0.0.0/8'), subnet('10.86.1.0/24')));
  assert.ok(overlaps(subnet('10.86.1.0/24'), subnet('10.86.1.255')));
  assert.ok(!overlaps(subnet('10.86.1.0/24'), subnet('10.86.2.0/24')));
});

test('the plan is free, begins where it is told, and stays as long as nobody else takes it', () => {
  const plan = chooseAddressPlan([], 7) ?? assert.fail();
  assert.deepEqual([plan.guests, plan.link].map(formatSubnet), ['10.86.7.0/24', '10.87.7.0/30']);
  assert.equal(chooseAddressPlan([subnet('192.168.0.0/16')], 9, plan), plan);
  const next = chooseAddressPlan([subnet('10.86.7.128/25')], 7, plan);
  assert.equal(next && formatSubnet(next.guests), '10.86.8.0/24');
  assert.equal(chooseAddressPlan([subnet('10.0.0.0/8')], 0), undefined);
});

test('whatever is taken, a plan never overlaps it', () => {
  const taken = fc.record({ base: fc.nat({ max: 2 ** 31 - 1 }), prefixLength: fc.integer({ min: 9, max: 32 }) });
  fc.assert(
    fc.property(fc.array(taken), fc.nat({ max: 255 }), (others, start) => {
      const used = others.map(({ base, prefixLength }) =>
        subnet(`${addressAt({ base: 0, prefixLength: 0 }, base)}/${prefixLength}`),
      );
      const plan = chooseAddressPlan(used, start);
      if (plan) for (const other of used) assert.ok(!overlaps(other, plan.guests) && !overlaps(other, plan.link));
    }),
  );
});
