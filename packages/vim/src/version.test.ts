import assert from 'node:assert/strict';
import { test } from 'node:test';
import { includesVersion, nearestVersion, schema, serviceVersionsXml, versionOfSoapAction } from './index.ts';

const actions: readonly [action: string | undefined, version: string][] = [
  ['"urn:vim25/8.0.3.0"', '8.0.3.0'], // pyVmomi
  ['urn:vim25/8.0.3.0', '8.0.3.0'], // govmomi
  ['urn:vim25/6.7', '6.7'],
  ['urn:vim25/2.5u2server', '2.5u2server'],
  ['urn:vim25/9.1.0.0', '9.0.0.0'], // a client ahead of us
  ['urn:vim25/7.0.1.5', '7.0.1.1'],
  ['urn:vim25/5.6', '5.5'],
  ['urn:vim25/7.0', '7.0.0.0'],
  ['urn:urn:vim25/', '9.0.0.0'], // govmomi, in the SDK tunnel
  [undefined, '2.5u2'],
  ['', '2.5u2'],
  ['""', '2.5u2'], // libvirt
  ['"urn:vim25"', '2.5u2'],
  ['urn:vim25/1.0', '2.5u2'],
  ['urn:vim25/banana', '2.5u2'],
  ['urn:pbm/8.0.0.0', '2.5u2'],
  [`urn:vim25/${'9.'.repeat(10_000)}`, '2.5u2'],
];

for (const [action, version] of actions) {
  void test(`SOAPAction ${action?.slice(0, 40)} means ${version}`, () => {
    assert.equal(versionOfSoapAction(action), version);
  });
}

void test('nearestVersion answers undefined for what is no version', () => {
  assert.equal(nearestVersion('8.0.3.0'), '8.0.3.0');
  assert.equal(nearestVersion('99'), '9.0.0.0');
  assert.equal(nearestVersion(''), undefined);
  assert.equal(nearestVersion('1'), undefined);
});

void test('newer versions include older ones', () => {
  assert.equal(includesVersion('8.0.3.0', '6.7'), true);
  assert.equal(includesVersion('6.7', '6.7'), true);
  assert.equal(includesVersion('6.7', '7.0.0.0'), false);
});

void test('the service versions list every id of the lattice, newest first', () => {
  const xml = serviceVersionsXml();
  assert.match(xml, /<name>urn:vim25<\/name>\s*<version>9\.0\.0\.0<\/version>\s*<priorVersions>/);
  const listed = [...xml.matchAll(/<version>([^<]*)<\/version>/g)].map((match) => match[1]);
  assert.deepEqual(listed.slice(0, schema.versions.length), schema.versions);
});
