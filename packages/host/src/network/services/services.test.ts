import assert from 'node:assert/strict';
import { test } from 'node:test';
import { droppingForwardChains, translationRules } from './address-translation.ts';
import { hostsLine } from './dnsmasq.ts';
import { usableResolvers } from './resolvers.ts';
import { parseSubnet } from './subnet.ts';

test('resolvers that only the machine itself can reach are passed over for the next list', () => {
  const stub = '# made by systemd-resolved\nnameserver 127.0.0.53\noptions edns0\n';
  assert.deepEqual(usableResolvers([stub, 'nameserver 192.0.2.1\nnameserver 192.0.2.2\n nameserver 192.0.2.1\n']), [
    '192.0.2.1',
    '192.0.2.2',
  ]);
  assert.deepEqual(usableResolvers([stub, 'nameserver fd00::1\n']), []);
  assert.deepEqual(usableResolvers(['#nameserver 192.0.2.9\n']), []);
});

test('a VM’s name becomes a host name, or none', () => {
  const mac = '00:50:56:00:00:01';
  assert.equal(hostsLine(mac, 'Web Server_1'), `${mac},web-server-1\n`);
  assert.equal(hostsLine(mac, 'Büro (alt)'), `${mac},buro-alt\n`);
  assert.equal(hostsLine(mac, 'a\nb,c'), `${mac},a-b-c\n`);
  assert.equal(hostsLine(mac, 'x'.repeat(80)), `${mac},${'x'.repeat(63)}\n`);
  assert.equal(hostsLine(mac, '虚拟机'), undefined);
});

test('the rules replace a table of the host’s own and translate only what leaves for elsewhere', () => {
  const [guests, link] = [parseSubnet('10.86.1.0/24'), parseSubnet('10.87.1.0/30')];
  assert.ok(guests && link);
  const rules = translationRules('viv-00000001', 'viv-00000001', { guests, link });
  assert.match(rules, /^table ip viv-00000001\ndelete table ip viv-00000001\n/);
  assert.match(rules, /ip saddr \{ 10\.86\.1\.0\/24, 10\.87\.1\.0\/30 \} oifname != "viv-00000001" masquerade/);
  assert.doesNotMatch(rules, /flush/);
});

test('a firewall that drops forwarded packets is noticed', () => {
  const chain = (more: object) => ({
    chain: { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', ...more },
  });
  const listing = (...chains: object[]) => JSON.stringify({ nftables: [{ metainfo: {} }, ...chains] });
  assert.deepEqual(droppingForwardChains(listing(chain({ policy: 'drop' }))), ['ip filter FORWARD']);
  assert.deepEqual(
    droppingForwardChains(listing(chain({ policy: 'accept' }), chain({ policy: 'drop', hook: 'input' }))),
    [],
  );
});
