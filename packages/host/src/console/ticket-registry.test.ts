import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { TicketRegistry } from './ticket-registry.ts';

void test('a ticket opens its own VM, once', () => {
  const tickets = new TicketRegistry({ clock: systemClock, random: systemRandom });
  const { ticket } = tickets.issue('7');
  assert.equal(tickets.redeem(ticket)?.vm, '7');
  assert.equal(tickets.redeem(ticket), undefined);
  assert.equal(tickets.redeem('0'.repeat(48)), undefined);
});

void test('a ticket runs out after two minutes', () => {
  let nowMs = 0;
  const clock = { ...systemClock, monotonic: () => nowMs };
  const tickets = new TicketRegistry({ clock, random: systemRandom });
  const { ticket } = tickets.issue('7');
  nowMs = 120_001;
  assert.equal(tickets.redeem(ticket), undefined);
});
