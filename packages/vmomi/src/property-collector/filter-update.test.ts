import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeRef,
  encodeSoapResponse,
  MethodFault,
  type MoRef,
  moRef,
  type ObjectUpdate,
  type PropertyFilterUpdate,
  schema,
  streamSoapResponse,
  toLocalizedMethodFault,
  typeRef,
} from '@vivarium/vim';
import { FilterChanges } from './filter-update.ts';

const VM = moRef('VirtualMachine', 'vm-1');
const FILTERS = ['one', 'other'].map((id) => moRef('PropertyFilter', `session[${id}]`));
const UPDATE = typeRef('PropertyFilterUpdate');
const change = (name: string): ObjectUpdate => ({
  kind: 'modify',
  obj: VM as MoRef,
  changeSet: [{ name: 'name', op: 'assign', val: { _typeName: 'string', _value: name } }],
});
const missing = {
  obj: VM as MoRef,
  fault: toLocalizedMethodFault(new MethodFault('ManagedObjectNotFound', { obj: VM as MoRef })),
};

/** The text of an answer as it is streamed. */
function streamed(update: unknown): string {
  const chunks: string[] = [];
  const sink = {
    text: (piece: string) => void chunks.push(piece),
    bytes: (source: Uint8Array, from: number, to: number) =>
      void chunks.push(Buffer.from(source.subarray(from, to)).toString()),
  };
  const set = { version: '7', filterSet: [update] };
  const [newest = schema.legacyVersion] = schema.versions;
  for (const _ of streamSoapResponse('WaitForUpdatesEx', 'UpdateSet', set, newest, sink));
  return chunks.join('');
}

const cases: [what: string, objectSet: ObjectUpdate[], missingSet: (typeof missing)[]][] = [
  ['changes', [change('a & b'), change('ü')], []],
  ['what left', [{ kind: 'leave', obj: VM as MoRef }], []],
  ['what is missing', [], [missing]],
  ['both', [change('a')], [missing]],
  ['more than is kept', Array.from({ length: 300 }, (_, index) => change(`name ${index}`)), []],
  ['what entered', [{ ...change('a'), kind: 'enter' }], []],
];

for (const [what, objectSet, missingSet] of cases) {
  test(`${what}: each filter’s text is that of the data object`, () => {
    const changes = new FilterChanges(objectSet, missingSet);
    const [newest = schema.legacyVersion] = schema.versions;
    for (const filter of FILTERS) {
      const plain: Partial<PropertyFilterUpdate> = {
        filter,
        ...(objectSet.length > 0 ? { objectSet } : {}),
        ...(missingSet.length > 0 ? { missingSet } : {}),
      };
      const set = { version: '7', filterSet: [plain] };
      assert.equal(
        streamed(changes.asUpdate(filter as MoRef)),
        encodeSoapResponse('WaitForUpdatesEx', 'UpdateSet', set, newest),
      );
    }
  });
}

test('a client of an older version gets the text of its own version', () => {
  const changes = new FilterChanges([], [missing]);
  const [filter] = FILTERS;
  const update = changes.asUpdate(filter as MoRef);
  const [newest = 0, oldest = 0] = [schema.versions[0], schema.legacyVersion].map((one) => one && schema.rank(one));
  const texts = [newest, oldest, newest].map((rank) => encodeRef('filterSet', UPDATE, update, rank));
  const plain = { filter, missingSet: [missing] };
  assert.deepEqual(
    texts,
    [newest, oldest, newest].map((rank) => encodeRef('filterSet', UPDATE, plain, rank)),
  );
});

test('without changes there is no update', () => {
  assert.equal(new FilterChanges([], []).asUpdate(VM as MoRef), undefined);
});
