import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeSoapResponse, make, moRef, type ObjectContent, schema, streamSoapResponse } from '@vivarium/vim';
import { planPath } from './path-plan.ts';
import { Slabs } from './slabs.ts';
import { Answers } from './update-set.ts';

const VERSION = '8.0.3.0';
const RANK = schema.rank(VERSION) ?? 0;
const PATHS = ['name', 'config.hardware.device', 'summary.quickStats.uptimeSeconds', 'config.extraConfig'].map(
  (path) => planPath('VirtualMachine', path, RANK) ?? assert.fail(path),
);
const REFS = Array.from({ length: 60 }, (_, index) => moRef('VirtualMachine', `vm-${index}`));

/** Values of one object, as they stand under PATHS. */
function valuesOf(index: number, character: string): unknown[] {
  const deviceInfo = make('Description', { label: character.repeat(300 + 13 * index), summary: '' });
  const option = make('OptionValue', { key: 'a', value: character.repeat(10) });
  return [`${character}${index}`, [make('VirtualFloppy', { key: 1, deviceInfo })], index, [option]];
}

interface Sent {
  readonly xml: string;
  /** How many pieces of it came from kept bytes. */
  readonly kept: number;
}

function send(answers: Answers, values: readonly (readonly unknown[])[], paths = PATHS): Sent {
  const content = answers.objectContents(values.length, paths, RANK);
  const result = { objects: values.map((one, index) => content(REFS[index] ?? assert.fail(), one)) };
  const parts: Buffer[] = [];
  let kept = 0;
  const sink = {
    text: (piece: string) => void parts.push(Buffer.from(piece)),
    bytes(source: Uint8Array, from: number, to: number) {
      parts.push(Buffer.from(source.subarray(from, to)));
      kept += 1;
    },
  };
  for (const _ of streamSoapResponse('RetrievePropertiesEx', 'RetrieveResult', result, VERSION, sink));
  return { xml: Buffer.concat(parts).toString(), kept };
}

/** The same by the codec alone. */
function expected(values: readonly (readonly unknown[])[], paths = PATHS): string {
  const slabs = new Slabs(() => 0);
  const content = new Answers(slabs).objectContents(values.length, paths, RANK);
  const objects = values.map((one, index) => {
    const { obj, propSet } = content(REFS[index] ?? assert.fail(), one);
    return make('ObjectContent', {
      obj,
      propSet: propSet?.map(({ name, val }) => make('DynamicProperty', { name, val })),
    });
  });
  return encodeSoapResponse(
    'RetrievePropertiesEx',
    'RetrieveResult',
    { objects } as { objects: ObjectContent[] },
    VERSION,
  );
}

void test('objects are sent as they are, whatever of them is known', () => {
  const answers = new Answers(new Slabs(() => 1 << 20));
  const values = REFS.map((_, index) => valuesOf(index, 'x'));
  for (let round = 0; round < 12; round++) {
    for (let at = round % 7; at < values.length; at += 7)
      values[at] = valuesOf(at, ['x', 'é', '😀', '<'][(round + at) % 4] ?? '');
    const paths = round % 3 === 0 ? PATHS.slice(0, 2) : PATHS;
    const some = values.map((one) => one.slice(0, paths.length));
    for (let read = 0; read < 2; read++) assert.equal(send(answers, some, paths).xml, expected(some, paths));
  }
});

void test('an object whose values are the same is sent from what is kept, an other one is made anew', () => {
  const answers = new Answers(new Slabs(() => 1 << 20));
  const values = REFS.map((_, index) => valuesOf(index, 'x'));
  send(answers, values);
  assert.equal(send(answers, values).kept, values.length, 'one piece an object');
  values[3] = [...(values[3] ?? [])];
  assert.equal(send(answers, values).kept, values.length, 'another list of the same values');
  values[3] = values[3]?.with(0, 'renamed') ?? [];
  const { xml } = send(answers, values);
  assert.equal(xml, expected(values));
  assert.match(xml, /renamed/);
});

void test('a value that is not set is left out, also of what is kept', () => {
  const answers = new Answers(new Slabs(() => 1 << 20));
  const values = REFS.map((_, index) => valuesOf(index, 'x').with(3, undefined));
  for (let read = 0; read < 2; read++) assert.equal(send(answers, values).xml, expected(values));
});

void test('objects that are never the same do not fill the room', () => {
  const slabs = new Slabs(() => 64 << 20);
  const answers = new Answers(slabs);
  const values = REFS.map((_, index) => valuesOf(index, 'x'));
  for (let round = 0; round < 200; round++)
    send(
      answers,
      values.map((one) => one.with(0, `now ${round}`)),
    );
  assert.equal(slabs.allocatedBytes, 1 << 20, 'all of them would need ten times as much');
});

void test('a value that goes on in other objects outlives the room that it was first in', () => {
  const slabs = new Slabs(() => 1 << 20);
  const answers = new Answers(slabs);
  const values = REFS.map((_, index) => valuesOf(index, 'x'));
  // The names change and nothing else: the devices move along, from slab to slab.
  for (let round = 0; round < 100; round++) {
    for (const [index, one] of values.entries()) values[index] = one.with(0, `${index} in ${round}`);
    for (let read = 0; read < 2; read++) assert.equal(send(answers, values).xml, expected(values));
    assert.ok(slabs.allocatedBytes <= 1 << 20);
  }
});
