import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '@vivarium/base/node';
import { isFault } from '@vivarium/vim';
import { type FileWorld, fileMethod } from './file-methods.ts';
import { type SimEntry, SimFiles } from './sim-files.ts';

const folder: SimEntry = { kind: 'folder', modifiedMs: 0 };
const file = (text: string): SimEntry => ({ kind: 'file', modifiedMs: 0, content: new TextEncoder().encode(text) });
const fault = (type: Parameters<typeof isFault>[1]) => (error: unknown) => isFault(error, type);

function world(): { readonly files: SimFiles; call(type: string, method: string, args: object): unknown } {
  const files = new SimFiles('store');
  const place: FileWorld = {
    nowMs: 0,
    random: systemRandom,
    filesOf: (name) => (name === 'store' ? files : undefined),
  };
  return {
    files,
    call(type, method, args) {
      const run = fileMethod(type, method);
      assert.ok(run, method);
      return run(place, args as Record<string, unknown>);
    },
  };
}

void test('a file needs its folder; a folder goes and moves with everything below it', () => {
  const { files } = world();
  assert.throws(() => files.put('a/b.txt', file('x')), fault('FileNotFound'));
  files.put('a', folder);
  files.put('a/b.txt', file('hello'));
  files.putDeep('a/c/d.txt', file('deep'));
  assert.equal(files.usedBytes, 9);
  files.transfer('a', { files, path: 'z' }, { mayReplace: false, isMove: true });
  assert.deepEqual(files.below('').toSorted(), ['z', 'z/b.txt', 'z/c', 'z/c/d.txt']);
  assert.throws(
    () => files.transfer('z', { files, path: 'z/c/z' }, { mayReplace: false, isMove: true }),
    fault('InvalidArgument'),
  );
  files.remove('z');
  assert.equal(files.isEmpty, true);
  assert.equal(files.usedBytes, 0);
});

void test('a file is written over only when that is wished, a folder never', () => {
  const { files } = world();
  for (const name of ['one', 'two']) files.put(name, file(name));
  files.put('f', folder);
  const copy = (to: string, mayReplace: boolean) =>
    files.transfer('one', { files, path: to }, { mayReplace, isMove: false });
  assert.throws(() => copy('two', false), fault('FileAlreadyExists'));
  assert.throws(() => copy('f', true), fault('FileAlreadyExists'));
  copy('two', true);
  const two = files.get('two');
  assert.equal(two.kind === 'file' && new TextDecoder().decode(two.content), 'one');
});

void test('what a running VM has is locked', () => {
  const { files } = world();
  files.putDeep('vm/vm.vmdk', file('x'));
  files.addUser({ configOf: () => undefined, isHeld: (path) => path === 'vm/vm.vmdk' });
  assert.throws(() => files.remove('vm'), fault('FileLocked'));
  assert.equal(files.find('vm')?.kind, 'folder');
});

void test('disks are made, copied, grown, inflated and told of', () => {
  const { files, call } = world();
  files.put('d', folder);
  const disk = (method: string, args: object) => call('VirtualDiskManager', method, args);
  const spec = {
    _typeName: 'FileBackedVirtualDiskSpec',
    diskType: 'thin',
    adapterType: 'lsiLogic',
    capacityKb: 1024 * 1024,
  };
  disk('CreateVirtualDisk_Task', { name: '[store] d/a.vmdk', spec });
  assert.throws(() => disk('CreateVirtualDisk_Task', { name: '[store] d/a.vmdk', spec }), fault('FileAlreadyExists'));
  assert.throws(() => disk('CreateVirtualDisk_Task', { name: '[other] a.vmdk', spec }), fault('InvalidDatastore'));
  disk('CopyVirtualDisk_Task', { sourceName: '[store] d/a.vmdk', destName: '[store] d/b.vmdk' });
  disk('ExtendVirtualDisk_Task', { name: '[store] d/a.vmdk', newCapacityKb: 2 * 1024 * 1024 });
  assert.throws(
    () => disk('ExtendVirtualDisk_Task', { name: '[store] d/a.vmdk', newCapacityKb: 1024 }),
    fault('InvalidArgument'),
  );
  const type = () => {
    const [info] = disk('QueryVirtualDiskInfo_Task', { name: '[store] d/a.vmdk' }) as { diskType: string }[];
    return info?.diskType;
  };
  assert.equal(type(), 'thin');
  disk('InflateVirtualDisk_Task', { name: '[store] d/a.vmdk' });
  assert.equal(type(), 'eagerZeroedThick');
  assert.throws(() => disk('ShrinkVirtualDisk_Task', { name: '[store] d/a.vmdk' }), fault('NotSupported'));
  disk('SetVirtualDiskUuid', { name: '[store] d/a.vmdk', uuid: '60 00 C2 9e 00 00 00 00-00 00 00 00 00 00 00 01' });
  assert.equal(
    disk('QueryVirtualDiskUuid', { name: '[store] d/a.vmdk' }),
    '60 00 c2 9e 00 00 00 00-00 00 00 00 00 00 00 01',
  );
  const searchSpec = {
    query: [{ _typeName: 'VmDiskFileQuery', details: { capacityKb: true, thin: true } }],
    details: { fileType: true, fileSize: true, modification: false },
  };
  const found = call('HostDatastoreBrowser', 'SearchDatastore_Task', { datastorePath: '[store] d', searchSpec });
  assert.deepEqual(
    (found as { file: { path: string; capacityKb: number; thin: boolean }[] }).file.map(
      ({ path, capacityKb, thin }) => [path, capacityKb, thin],
    ),
    [
      ['a.vmdk', 2 * 1024 * 1024, false],
      ['b.vmdk', 1024 * 1024, false],
    ],
  );
  disk('DeleteVirtualDisk_Task', { name: '[store] d/b.vmdk' });
  assert.deepEqual(files.below('d'), ['d/a.vmdk']);
});

void test('a search tells of folders below, and of nothing that is not there', () => {
  const { files, call } = world();
  files.putDeep('a/b/c.iso', file('iso'));
  const found = call('HostDatastoreBrowser', 'SearchDatastoreSubFolders_Task', {
    datastorePath: '[store]',
    searchSpec: { matchPattern: ['*.iso'] },
  }) as { folderPath: string; file: { path: string }[] }[];
  assert.deepEqual(
    found.map(({ folderPath, file: [one] }) => [folderPath, one?.path]),
    [['[store] a/b/', 'c.iso']],
  );
  assert.throws(
    () => call('HostDatastoreBrowser', 'SearchDatastore_Task', { datastorePath: '[store] none' }),
    fault('FileNotFound'),
  );
});

void test('nothing lies below a file, and a host that has unmounted a datastore holds nothing on it', () => {
  const { files } = world();
  files.put('a', file('x'));
  assert.throws(() => files.putDeep('a/b/c.txt', file('deep')), fault('FileNotFound'));
  assert.deepEqual(files.below(''), ['a']);
  const release = files.addUser({ configOf: () => undefined, isHeld: () => true });
  assert.throws(() => files.remove('a'), fault('FileLocked'));
  release();
  files.remove('a');
});
