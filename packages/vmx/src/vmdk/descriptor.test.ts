import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dataFileOf, diskFactsOf } from './data-file.ts';
import { type VmdkDescriptor, VmdkSyntaxError } from './descriptor.ts';
import { formatDdbUuid, newDiskUuid, parseDdbUuid } from './disk-uuid.ts';
import { formatVmdkDescriptor, type NewDisk, newVmdkDescriptor, resizedVmdkDescriptor } from './format-descriptor.ts';
import { parseVmdkDescriptor } from './parse-descriptor.ts';

const disk: NewDisk = {
  fileName: 'web_1.vmdk',
  capacityBytes: 40 * 1024 ** 3,
  provisioning: 'thin',
  adapter: 'pvscsi',
  uuid: '6000C293-5f9a-8c11-4e9f-5b0c1d2e3f40',
  longContentId: '0123456789abcdef0123456789abcdef',
  hardwareVersion: 21,
};

void test('a thin disk shows an ordinary VMFS descriptor and names its qcow2 file beside it', () => {
  const text = formatVmdkDescriptor(newVmdkDescriptor(disk));
  assert.match(
    text,
    /^# Disk DescriptorFile\nversion=1\nencoding="UTF-8"\nCID=89abcdef\nparentCID=ffffffff\ncreateType="vmfs"\n/,
  );
  assert.match(text, /^RW 83886080 VMFS "web_1-flat.vmdk"$/m);
  assert.match(text, /^ddb.geometry.cylinders = "5221"$/m);
  assert.match(text, /^ddb.thinProvisioned = "1"$/m);
  assert.match(text, /^ddb.uuid = "60 00 C2 93 5f 9a 8c 11-4e 9f 5b 0c 1d 2e 3f 40"$/m);
  const back = parseVmdkDescriptor(text);
  assert.deepEqual(dataFileOf(back), { fileName: 'web_1.qcow2', format: 'qcow2' });
  assert.deepEqual(diskFactsOf(back), {
    capacityBytes: disk.capacityBytes,
    provisioning: 'thin',
    adapter: 'lsilogic',
    uuid: disk.uuid,
    contentId: '89abcdef',
  });
});

void test('a thick disk is its -flat file', () => {
  const eager = newVmdkDescriptor({ ...disk, provisioning: 'eagerZeroedThick', adapter: 'ide' });
  assert.deepEqual(dataFileOf(eager), { fileName: 'web_1-flat.vmdk', format: 'raw' });
  assert.equal(diskFactsOf(eager).provisioning, 'eagerZeroedThick');
  assert.equal(
    diskFactsOf(newVmdkDescriptor({ ...disk, provisioning: 'lazyZeroedThick' })).provisioning,
    'lazyZeroedThick',
  );
});

void test('a delta disk names its parent', () => {
  const delta = newVmdkDescriptor({ ...disk, parent: { contentId: '11223344', fileNameHint: 'web.vmdk' } });
  const back = parseVmdkDescriptor(formatVmdkDescriptor(delta));
  assert.equal(back.parentCid, '11223344');
  assert.equal(back.parentFileNameHint, 'web.vmdk');
  assert.deepEqual(dataFileOf(back), { fileName: 'web_1.qcow2', format: 'qcow2' });
});

void test('growing changes extent and geometry', () => {
  const grown = resizedVmdkDescriptor(newVmdkDescriptor({ ...disk, capacityBytes: 1024 ** 3 / 2 }), 80 * 1024 ** 3);
  assert.equal(diskFactsOf(grown).capacityBytes, 80 * 1024 ** 3);
  assert.equal(grown.ddb.get('geometry.heads'), '255');
});

void test('a descriptor that someone wrote cannot lead out of its folder', () => {
  const own = newVmdkDescriptor(disk);
  for (const name of ['../x.qcow2', '/etc/shadow', '..', '', 'a\\b']) {
    assert.throws(() => dataFileOf({ ...own, ddb: new Map([...own.ddb, ['vivarium.data', name]]) }), VmdkSyntaxError);
    const thick = newVmdkDescriptor({ ...disk, provisioning: 'lazyZeroedThick' });
    assert.throws(
      () => dataFileOf({ ...thick, extents: [{ access: 'RW', sectors: 1, type: 'VMFS', fileName: name }] }),
      VmdkSyntaxError,
    );
  }
  assert.throws(() => dataFileOf({ ...own, createType: 'monolithicSparse' }), VmdkSyntaxError);
});

void test('refuses what readers would read differently', () => {
  const head = 'createType="vmfs"\n';
  for (const text of [
    '',
    'CID=zz\n',
    `${head}CID=zz`,
    `${head}CID=1\nCID=2`,
    `${head}RW x VMFS "a"`,
    `${head}what`,
    `${head}RW 99999999999999999 VMFS "a"`,
    `${head}version=0`,
  ]) {
    assert.throws(() => parseVmdkDescriptor(text), VmdkSyntaxError, text);
  }
  assert.throws(() => parseVmdkDescriptor(head + 'RW 1 FLAT "a" 0\n'.repeat(32_769)), VmdkSyntaxError);
});

const word = fc.string({ maxLength: 20 }).filter((text) => !/["\p{Cc}]/u.test(text));
const name = fc.stringMatching(/^[a-zA-Z][\w.]{0,15}$/);
const known = new Set([
  'version',
  'encoding',
  'cid',
  'parentcid',
  'createtype',
  'parentfilenamehint',
  'rw',
  'rdonly',
  'noaccess',
]);
const hex = fc.stringMatching(/^[0-9a-f]{8}$/);
const anyDescriptor: fc.Arbitrary<VmdkDescriptor> = fc.record(
  {
    version: fc.integer({ min: 1, max: 9 }),
    cid: hex,
    parentCid: hex,
    createType: word,
    parentFileNameHint: word,
    extents: fc.array(
      fc.record(
        {
          access: fc.constantFrom('RW' as const, 'RDONLY' as const, 'NOACCESS' as const),
          sectors: fc.nat(),
          type: fc.constantFrom('FLAT', 'SPARSE', 'VMFS', 'VMFSRDM'),
          fileName: word,
          offset: fc.nat(),
        },
        { requiredKeys: ['access', 'sectors', 'type', 'fileName'], noNullPrototype: true },
      ),
      { maxLength: 5 },
    ),
    ddb: fc.array(fc.tuple(name, word)).map((pairs) => new Map(pairs)),
    other: fc
      .array(
        fc.tuple(
          name.filter((n) => !known.has(n.toLowerCase()) && !n.startsWith('ddb.')),
          word,
        ),
      )
      .map((pairs) => new Map(pairs)),
  },
  { requiredKeys: ['version', 'cid', 'parentCid', 'createType', 'extents', 'ddb', 'other'], noNullPrototype: true },
);

void test('what is formatted is read back as it was (property)', () => {
  fc.assert(fc.property(anyDescriptor, (d) => assert.deepEqual(parseVmdkDescriptor(formatVmdkDescriptor(d)), d)));
});

void test('any text parses or is refused with a VmdkSyntaxError (fuzz)', () => {
  const piece = fc.oneof(
    fc.constantFrom('RW ', '8 ', 'FLAT ', '"a"', 'ddb.', '=', '\n', 'createType="x"', '\0', '0'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 50 }), (pieces) => {
      try {
        parseVmdkDescriptor(pieces.join(''));
      } catch (error) {
        if (!(error instanceof VmdkSyntaxError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});

void test("disk UUIDs have VMware's prefix and survive both spellings", () => {
  const uuid = newDiskUuid({ bytes: (count) => new Uint8Array(count).fill(0xab) });
  assert.equal(uuid, '6000C29a-baba-baba-baba-babababababa');
  assert.match(uuid, /^6000C29[0-9a-f]-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  assert.equal(parseDdbUuid(formatDdbUuid(uuid)), uuid);
  assert.equal(parseDdbUuid('nonsense'), undefined);
});
