import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkUpload, MAX_DISK_BYTES, type RefusalReason, type UploadedFile } from './check-upload.ts';
import {
  AT_END,
  dataFile,
  descriptorText,
  footer,
  type HeaderFields,
  STREAM_FLAGS,
  sparseFile,
  sparseHeader,
  textFile,
} from './vmdk-fixtures.ts';

const folderOf = (...files: UploadedFile[]) => {
  const byName = new Map(files.map((file) => [file.name, file]));
  return (name: string) => byName.get(name);
};
const none = folderOf();
const monolithic = descriptorText(['createType="monolithicSparse"', 'RW 2048 SPARSE "disk.vmdk"']);
const stream = descriptorText(['createType="streamOptimized"', 'RW 2048 SPARSE "call-me-stream.vmdk"']);
const flat = (...extents: string[]) => textFile('d.vmdk', descriptorText(['createType="vmfs"', ...extents]));

void test('a monolithicSparse file is planned with itself as the only extent', () => {
  const plan = checkUpload(sparseFile('up.vmdk', {}, monolithic), none);
  assert.ok(plan.kind === 'monolithicSparse');
  assert.equal(plan.capacityBytes, 1 << 20);
  assert.deepEqual(plan.extents, [{ fileName: 'up.vmdk', format: 'sparse', sizeBytes: 1 << 20, offsetBytes: 0 }]);
});

void test('a streamOptimized file is read with its footer', () => {
  const fields: HeaderFields = { version: 3, flags: STREAM_FLAGS, directory: AT_END, compression: 1 };
  const end = footer({ ...fields, directory: 900n });
  assert.equal(checkUpload(sparseFile('s.vmdk', fields, stream, end), none).kind, 'streamOptimized');
});

void test('flat and twoGb disks are planned with the files of the folder', () => {
  const one = checkUpload(flat('RW 2048 VMFS "d-flat.vmdk"'), folderOf(dataFile('d-flat.vmdk', 1 << 20)));
  assert.ok(one.kind === 'flat');
  assert.equal(one.capacityBytes, 1 << 20);
  const two = checkUpload(
    textFile(
      't.vmdk',
      descriptorText(['createType="twoGbMaxExtentFlat"', 'RW 8 FLAT "t-f001.vmdk" 0', 'RW 8 FLAT "t-f002.vmdk" 8']),
    ),
    folderOf(dataFile('t-f001.vmdk', 4096), dataFile('t-f002.vmdk', 8192)),
  );
  assert.ok(two.kind === 'twoGbFlat');
  assert.deepEqual(
    two.extents.map((extent) => extent.offsetBytes),
    [0, 4096],
  );
  const sparse = checkUpload(
    textFile('t.vmdk', descriptorText(['createType="twoGbMaxExtentSparse"', 'RW 2048 SPARSE "t-s001.vmdk"'])),
    folderOf(dataFile('t-s001.vmdk', 65536, sparseHeader({ descriptorOffset: 0n, descriptorSectors: 0n }))),
  );
  assert.equal(sparse.kind, 'twoGbSparse');
});

const hostileExtents = [
  '/etc/passwd',
  '../other/other-flat.vmdk',
  '..',
  '',
  'a/b-flat.vmdk',
  'C:\\x',
  'a\\b',
  'x\u0001',
  'n'.repeat(300),
];
for (const name of hostileExtents) {
  void test(`refuses the extent name ${JSON.stringify(name.slice(0, 30))}`, () => {
    const all = () => dataFile(name, 1 << 30);
    const inText = checkUpload(flat(`RW 2048 VMFS "${name}"`), all);
    assert.ok(inText.kind === 'refused');
    assert.match(inText.reason, /unsafeExtent|damaged/);
    const embedded = checkUpload(sparseFile('x.vmdk', {}, monolithic.replace('disk.vmdk', name)), all);
    assert.ok(embedded.kind === 'refused');
  });
}

const streamFields: HeaderFields = { version: 3, flags: STREAM_FLAGS, directory: AT_END, compression: 1 };
const flatFile = folderOf(dataFile('d-flat.vmdk', 1 << 20));
const refusals: [string, RefusalReason, UploadedFile, ((name: string) => UploadedFile | undefined)?][] = [
  ['a file that is no disk', 'notADisk', textFile('x.vmdk', 'hello')],
  ['an empty file', 'notADisk', textFile('x.vmdk', '')],
  ['a qcow2 called vmdk', 'notADisk', dataFile('x.vmdk', 4096, Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'))],
  ['COWD redo logs', 'unsupported', dataFile('x.vmdk', 4096, Buffer.from('COWD'))],
  ['SEsparse', 'unsupported', dataFile('x.vmdk', 4096, Buffer.from('bebafeca00000000', 'hex'))],
  ['a header cut off', 'damaged', dataFile('x.vmdk', 100, sparseHeader().subarray(0, 100))],
  ['a text-mode transfer', 'damaged', mangled()],
  ['capacity 0', 'badSize', sparseFile('x.vmdk', { capacity: 0n }, monolithic)],
  ['an absurd capacity', 'damaged', sparseFile('x.vmdk', { capacity: 1n << 62n }, monolithic)],
  ['more than 62 TB', 'badSize', sparseFile('x.vmdk', { capacity: BigInt(MAX_DISK_BYTES) / 512n + 1n }, monolithic)],
  ['odd grains', 'damaged', sparseFile('x.vmdk', { grain: 100n }, monolithic)],
  ['too many table entries', 'damaged', sparseFile('x.vmdk', { entries: 1 << 30 }, monolithic)],
  ['no embedded descriptor', 'damaged', sparseFile('x.vmdk', { descriptorOffset: 0n }, monolithic)],
  ['an embedded descriptor far away', 'damaged', sparseFile('x.vmdk', { descriptorOffset: 1n << 40n }, monolithic)],
  ['header and descriptor that differ', 'badSize', sparseFile('x.vmdk', { capacity: 4096n }, monolithic)],
  ['an unknown version', 'unsupported', sparseFile('x.vmdk', { version: 9 }, monolithic)],
  ['a stream without its footer', 'damaged', sparseFile('x.vmdk', streamFields, stream)],
  ['a footer that differs', 'damaged', sparseFile('x.vmdk', streamFields, stream, footer({ capacity: 9n }))],
  ['a parent CID', 'hasParent', sparseFile('x.vmdk', {}, monolithic.replace('ffffffff', '12345678'))],
  ['a parent hint', 'hasParent', sparseFile('x.vmdk', {}, `${monolithic}parentFileNameHint="/etc/shadow"\n`)],
  [
    'a parent hint in a comment',
    'hasParent',
    sparseFile('x.vmdk', {}, `${monolithic}#parentFileNameHint="/etc/shadow"\n`),
  ],
  [
    'a parent hint behind the NUL',
    'hasParent',
    sparseFile('x.vmdk', {}, `${monolithic}\0parentFileNameHint="/etc/shadow"\n`),
  ],
  [
    'encryption',
    'encrypted',
    sparseFile('x.vmdk', {}, monolithic.replace('createType', 'encryption.keySafe = "vmware:key"\ncreateType')),
  ],
  [
    'a flat extent in a sparse file',
    'unsafeExtent',
    sparseFile('x.vmdk', {}, monolithic.replace('2048 SPARSE', '2048 FLAT')),
  ],
  [
    'a sparse descriptor with two extents',
    'unsafeExtent',
    sparseFile('x.vmdk', {}, monolithic.replace('RW', 'RW 1 SPARSE "b"\nRW')),
  ],
  [
    'a flat type in a sparse file',
    'unsupported',
    sparseFile('x.vmdk', {}, monolithic.replace('monolithicSparse', 'monolithicFlat')),
  ],
  ['raw device mappings', 'unsupported', flat('RW 2048 VMFSRDM "d-rdm.vmdk"')],
  [
    'whole devices',
    'unsupported',
    textFile('x.vmdk', descriptorText(['createType="fullDevice"', 'RW 8 FLAT "/dev/sda" 0'])),
  ],
  ['custom types', 'unsupported', textFile('x.vmdk', descriptorText(['createType="__proto__"', 'RW 8 FLAT "a" 0']))],
  ['read-only extents', 'unsupported', flat('RDONLY 2048 VMFS "d-flat.vmdk"')],
  ['holes', 'unsupported', flat('RW 2048 ZERO')],
  ['a missing extent', 'missingExtent', flat('RW 2048 VMFS "other-flat.vmdk"'), flatFile],
  ['a short extent', 'badSize', flat('RW 2049 VMFS "d-flat.vmdk"'), flatFile],
  ['an extent of nothing', 'badSize', flat('RW 0 VMFS "d-flat.vmdk"'), flatFile],
  ['extents that overlap', 'unsafeExtent', flat('RW 16 VMFS "d-flat.vmdk" 0', 'RW 16 VMFS "d-flat.vmdk" 8'), flatFile],
  ['no extents', 'damaged', flat()],
  ['two createTypes', 'damaged', flat('createType="vmfs"', 'RW 8 VMFS "d-flat.vmdk"'), flatFile],
  ['a split extent with capacity 0', 'badSize', ...split({ capacity: 0n })],
  ['a split extent with a descriptor', 'unsafeExtent', ...split({})],
  ['a split extent of another size', 'badSize', ...split({ descriptorOffset: 0n, capacity: 1n })],
  ['a split extent that is raw', 'damaged', split({})[0], folderOf(dataFile('t-s001.vmdk', 65536))],
];

function split(fields: HeaderFields): [UploadedFile, (name: string) => UploadedFile | undefined] {
  const text = descriptorText(['createType="twoGbMaxExtentSparse"', 'RW 2048 SPARSE "t-s001.vmdk"']);
  return [
    textFile('t.vmdk', text),
    folderOf(dataFile('t-s001.vmdk', 65536, Buffer.concat([sparseHeader(fields), Buffer.from('#')]))),
  ];
}

function mangled(): UploadedFile {
  const file = sparseFile('x.vmdk', {}, monolithic);
  file.head[75] = 0x0a;
  return file;
}

for (const [what, reason, file, find] of refusals) {
  void test(`refuses ${what}`, () => {
    const answer = checkUpload(file, find ?? none);
    assert.deepEqual(
      { kind: answer.kind, reason: 'reason' in answer && answer.reason },
      { kind: 'refused', reason },
      JSON.stringify(answer),
    );
  });
}

void test('no bytes make it throw or name a file outside the folder (fuzz)', () => {
  const parts = [
    'RW 8 FLAT "',
    'RW 8 SPARSE "',
    '../x',
    '/etc/passwd',
    '"',
    '\n',
    'createType="vmfs"',
    'createType="monolithicFlat"',
    'parentCID=',
    '0',
    'CID=',
    ' VMFS ',
  ];
  const text = fc
    .array(fc.oneof(fc.constantFrom(...parts), fc.string({ unit: 'binary', maxLength: 10 })), { maxLength: 40 })
    .map((a) => `# Disk DescriptorFile\n${a.join('')}`);
  const isPlain = (name: string) => !/[/\\]/.test(name) && name !== '..' && name !== '.';
  fc.assert(
    fc.property(
      fc.oneof(
        text.map((t) => new TextEncoder().encode(t)),
        fc.uint8Array({ maxLength: 700 }).map((b) => Uint8Array.of(0x4b, 0x44, 0x4d, 0x56, 1, 0, 0, 0, ...b)),
      ),
      (head) => {
        const answer = checkUpload(
          { name: 'f.vmdk', sizeBytes: head.length, head, tail: head.slice(-1536) },
          (name) => {
            assert.ok(isPlain(name), name);
            return dataFile(name, 1 << 30);
          },
        );
        if (answer.kind !== 'refused') assert.ok(answer.extents.every((extent) => isPlain(extent.fileName)));
      },
    ),
    { numRuns: 2000 },
  );
});
