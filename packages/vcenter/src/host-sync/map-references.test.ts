import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepSame, moRef } from '@vivarium/vim';
import fc from 'fast-check';
import { deviceToCenter } from '../distributed-switch/hidden-network.ts';
import { type Mapping, mapChanges, mapReferences } from './map-references.ts';

const HIDDEN = 'dvportgroup-3 00 11 22 33 44 55 66 77-88 99 aa bb cc dd ee ff';

const mapping: Mapping = {
  reference: (ref) => (ref.value.endsWith('1') ? moRef('Datastore', `datastore-${ref.value}`) : undefined),
  object: (object) => deviceToCenter(object, () => undefined),
  datastoreName: (name) => (name === 'a' ? 'a (1)' : undefined),
};

const leaf = fc.constantFrom<unknown>(
  1,
  'text',
  '[a] vm/vm.vmx',
  '[b] vm/vm.vmx',
  moRef('Datastore', '1'),
  moRef('Datastore', '2'),
);
const plain = { noNullPrototype: true };
const network = fc.constantFrom('VM Network', HIDDEN);
const backing = { _typeName: fc.constant('VirtualEthernetCardNetworkBackingInfo'), deviceName: network };
const card = fc.record(
  {
    _typeName: fc.constant('VirtualVmxnet3'),
    deviceInfo: fc.record({ label: fc.constant('Network adapter 1'), summary: leaf }, plain),
    backing: fc.record(backing, plain),
  },
  plain,
);
const disk = fc.record(
  { _typeName: fc.constant('VirtualDisk'), backing: fc.record({ fileName: leaf, datastore: leaf }, plain) },
  plain,
);
const files = fc.record({ path: leaf }, plain);
const config = fc.record(
  { name: leaf, annotation: leaf, files, device: fc.array(fc.oneof(card, disk)), extra: leaf },
  { requiredKeys: ['device'], ...plain },
);

void test('what has changed is mapped as if all were mapped (property)', () => {
  fc.assert(
    fc.property(config, config, (former, told) => {
      const value = keepSame(former, told);
      const mapped = mapReferences(former, mapping);
      assert.deepEqual(mapChanges(value, { former, mapped }, mapping), mapReferences(told, mapping));
    }),
    { numRuns: 2000 },
  );
});

void test('what has not changed is what came of it before', () => {
  const paths = { vmPathName: '[a] vm/vm.vmx' };
  const device = [{ key: 1, backing: { datastore: moRef('Datastore', '1') } }, { key: 2 }];
  const former = { annotation: '', files: paths, hardware: { device } };
  const mapped = mapReferences(former, mapping);
  assert.notEqual(mapped.files, paths);
  const value = { ...former, annotation: '[a] is no path here' };
  const now = mapChanges(value, { former, mapped }, mapping);
  assert.equal(now.annotation, value.annotation);
  assert.equal(now.files, mapped.files);
  assert.equal(now.hardware, mapped.hardware);
});
