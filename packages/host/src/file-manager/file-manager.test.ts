import assert from 'node:assert/strict';
import { chmod, mkdir, open, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemRandom } from '@vivarium/base/node';
import { isFault } from '@vivarium/vim';
import { makeApi } from '../virtual-disk-manager/fixtures.ts';
import { fileManagerHandlers } from './file-manager.ts';

async function makeManager() {
  const host = await makeApi();
  const handlers = fileManagerHandlers(host.api, { random: systemRandom });
  await mkdir(join(host.root, 'a/deep'), { recursive: true });
  await mkdir(join(host.root, 'b'));
  await writeFile(join(host.root, 'a/file'), 'content');
  await writeFile(join(host.root, 'a/deep/inner'), 'inner');
  const path = (name: string) => (name.startsWith('[') ? name : `[datastore1] ${name}`);
  return {
    host,
    at: (name: string) => join(host.root, name),
    mkdir: async (name: string, createParentDirectories = false) =>
      handlers.MakeDirectory?.({ name: path(name), createParentDirectories }, host.call),
    delete: async (name: string) => host.done(handlers.DeleteDatastoreFile_Task?.({ name: path(name) }, host.call)),
    move: async (from: string, to: string, force = false) =>
      host.done(
        handlers.MoveDatastoreFile_Task?.({ sourceName: path(from), destinationName: path(to), force }, host.call),
      ),
    copy: async (from: string, to: string, force = false) =>
      host.done(
        handlers.CopyDatastoreFile_Task?.({ sourceName: path(from), destinationName: path(to), force }, host.call),
      ),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

const faults = (type: Parameters<typeof isFault>[1]) => (error: unknown) => isFault(error, type);

void test('folders are made one by one or all the way', async () => {
  await using files = await makeManager();
  await files.mkdir('new');
  assert.ok((await stat(files.at('new'))).isDirectory());
  await assert.rejects(files.mkdir('new'), faults('FileAlreadyExists'));
  await assert.rejects(files.mkdir('x/y'), faults('FileNotFound'));
  await files.mkdir('x/y/z', true);
  assert.ok((await stat(files.at('x/y/z'))).isDirectory());
  await assert.rejects(files.mkdir('x/y/z', true), faults('FileAlreadyExists'));
  await assert.rejects(files.mkdir('a/file/x', true), faults('NotADirectory'));
  await assert.rejects(files.mkdir('../x'), faults('InvalidDatastorePath'));
  await assert.rejects(files.mkdir('[datastore1]'), faults('InvalidDatastorePath'));
});

void test('deleting takes files, and folders with all below them, never the datastore', async () => {
  await using files = await makeManager();
  await symlink('/etc', files.at('a/deep/link'));
  await files.delete('a');
  assert.deepEqual((await readdir(files.host.root)).sort(), ['.viv-datastore.json', 'b']);
  assert.ok((await readdir('/etc')).length > 0);
  await assert.rejects(files.delete('a'), faults('FileNotFound'));
  await assert.rejects(files.delete('[datastore1]'), faults('InvalidDatastorePath'));
  await assert.rejects(files.delete('.viv-datastore.json'), faults('InvalidDatastorePath'));
  assert.ok(files.host.touched.includes('datastore1'));
});

void test('a move writes over a file only when forced, over a folder never', async () => {
  await using files = await makeManager();
  await files.move('a/file', 'b/moved');
  assert.equal(await readFile(files.at('b/moved'), 'utf8'), 'content');
  await assert.rejects(stat(files.at('a/file')), { code: 'ENOENT' });
  await writeFile(files.at('a/file'), 'other');
  await assert.rejects(files.move('a/file', 'b/moved'), faults('FileAlreadyExists'));
  await files.move('a/file', 'b/moved', true);
  assert.equal(await readFile(files.at('b/moved'), 'utf8'), 'other');
  await assert.rejects(files.move('b/moved', 'a/deep', true), faults('FileAlreadyExists'));
  await assert.rejects(files.move('a', 'b', true), faults('FileAlreadyExists'));
  await assert.rejects(files.move('a', 'a/deep/a'), faults('InvalidArgument'));
  await assert.rejects(files.move('a/none', 'b/x'), faults('FileNotFound'));
  await assert.rejects(files.move('a', 'none/x'), faults('FileNotFound'));
  await files.move('a', 'a');
  await files.move('a', 'b/a');
  assert.equal(await readFile(files.at('b/a/deep/inner'), 'utf8'), 'inner');
});

void test('a copy is whole, sparse where the source is, and leaves nothing half-made', async () => {
  await using files = await makeManager();
  const big = await open(files.at('a/big'), 'w');
  await big.truncate(64 << 20);
  await big.write('end', (64 << 20) - 3);
  await big.close();
  await files.copy('a', 'b/a');
  assert.equal(await readFile(files.at('b/a/deep/inner'), 'utf8'), 'inner');
  const copied = await stat(files.at('b/a/big'));
  assert.equal(copied.size, 64 << 20);
  assert.ok(copied.blocks * 512 < 8 << 20);
  assert.ok((await readFile(files.at('b/a/big'))).equals(await readFile(files.at('a/big'))));
  await assert.rejects(files.copy('a/file', 'b/a/deep/inner'), faults('FileAlreadyExists'));
  await files.copy('a/file', 'b/a/deep/inner', true);
  assert.equal(await readFile(files.at('b/a/deep/inner'), 'utf8'), 'content');
  await assert.rejects(files.copy('a', 'b/a', true), faults('FileAlreadyExists'));
  await assert.rejects(files.copy('a/none', 'b/x'), faults('FileNotFound'));
  assert.deepEqual(await readdir(files.at('b')), ['a']);
});

void test('a cancelled copy leaves nothing', async () => {
  await using files = await makeManager();
  files.host.cancel();
  await assert.rejects(files.copy('a', 'b/a'), faults('RequestCanceled'));
  assert.deepEqual(await readdir(files.at('b')), []);
});

void test('files move between datastores', async () => {
  await using files = await makeManager();
  await mkdir(join(files.host.path, 'other'));
  await files.host.datastores.add({ name: 'other', root: join(files.host.path, 'other') });
  await files.move('a', '[other] a');
  assert.equal(await readFile(join(files.host.path, 'other/a/deep/inner'), 'utf8'), 'inner');
  await assert.rejects(stat(files.at('a')), { code: 'ENOENT' });
});

void test('a running VM keeps its files; what is text may be read', async () => {
  await using files = await makeManager();
  await writeFile(files.at('a/vm.qcow2'), '');
  for (const name of ['a/file', 'a/vm.qcow2']) files.host.inUse.add(files.at(name));
  await assert.rejects(files.delete('a/file'), faults('FileLocked'));
  await assert.rejects(files.delete('a'), faults('FileLocked'));
  await assert.rejects(files.move('a', 'c'), faults('FileLocked'));
  await assert.rejects(files.copy('b', 'a/file', true), faults('FileLocked'));
  await assert.rejects(files.copy('a/vm.qcow2', 'b/x'), faults('FileLocked'));
  await files.copy('a/file', 'b/x');
});

void test('whoever lacks the privilege is refused, and links lead nowhere', async () => {
  await using files = await makeManager();
  await symlink('/etc/passwd', files.at('a/link'));
  await assert.rejects(files.copy('a/link', 'b/x'), faults('InvalidDatastorePath'));
  await assert.rejects(files.copy('a/file', 'a/link', true), faults('InvalidDatastorePath'));
  files.host.refused.add('Datastore.FileManagement');
  await assert.rejects(files.delete('a'), faults('NoPermission'));
  await assert.rejects(files.mkdir('x'), faults('NoPermission'));
  await chmod(files.at('a'), 0o755);
});
