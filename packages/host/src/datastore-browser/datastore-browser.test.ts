import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type FileInfo,
  type HostDatastoreBrowserSearchResults,
  type HostDatastoreBrowserSearchSpec,
  isFault,
  make,
} from '@vivarium/vim';
import { makeApi, noImages } from '../virtual-disk-manager/fixtures.ts';
import { datastoreBrowserHandlers } from './datastore-browser.ts';

type Results = HostDatastoreBrowserSearchResults;
const everything = make('FileQueryFlags', { fileType: true, fileSize: true, modification: true, fileOwner: true });

async function makeBrowser() {
  const host = await makeApi();
  const handlers = datastoreBrowserHandlers(host.api);
  await mkdir(join(host.root, 'vm/deep'), { recursive: true });
  for (const name of ['vm.vmx', 'vmware.log', 'vm.nvram', 'cd.iso', 'CD.ISO', 'a.img', 'note']) {
    await writeFile(join(host.root, 'vm', name), name);
  }
  await writeFile(join(host.root, 'vm/deep/x.iso'), 'x');
  await symlink('/etc/passwd', join(host.root, 'vm/link.iso'));
  execFileSync('mkfifo', [join(host.root, 'vm/pipe.vmdk')]);
  await writeFile(join(host.root, 'vm/.viv-half'), '');
  const spec = (value: Partial<HostDatastoreBrowserSearchSpec>) => make('HostDatastoreBrowserSearchSpec', value);
  const search = async (datastorePath: string, value: Partial<HostDatastoreBrowserSearchSpec>) => {
    const task = handlers.SearchDatastore_Task?.({ datastorePath, searchSpec: spec(value) }, host.call);
    assert.ok(task);
    return await host.done<Results>(task);
  };
  const searchBelow = async (datastorePath: string, value: Partial<HostDatastoreBrowserSearchSpec>) => {
    const task = handlers.SearchDatastoreSubFolders_Task?.({ datastorePath, searchSpec: spec(value) }, host.call);
    assert.ok(task);
    return (await host.done<{ _value: Results[] }>(task))._value;
  };
  return { host, handlers, search, searchBelow };
}

const names = (results: Results | undefined) => (results?.file ?? []).map(({ path }: FileInfo) => path);

void test('a folder is listed by name, without links, pipes and half-made files', async () => {
  const { host, search } = await makeBrowser();
  await using _ = host;
  const found = await search('[datastore1] vm', {});
  assert.deepEqual(names(found), ['CD.ISO', 'a.img', 'cd.iso', 'deep', 'note', 'vm.nvram', 'vm.vmx', 'vmware.log']);
  assert.equal(found.folderPath, '[datastore1] vm/');
  assert.equal(found.datastore?.value, host.datastores.find('datastore1')?.uuid);
  const [first] = found.file ?? [];
  assert.deepEqual(first, { _typeName: 'FileInfo', path: 'CD.ISO' });
  assert.deepEqual(names(await search('[datastore1] vm', { sortFoldersFirst: true })).slice(0, 2), ['deep', 'CD.ISO']);
});

void test('details come when they are asked for', async () => {
  const { host, search } = await makeBrowser();
  await using _ = host;
  const found = await search('[datastore1] vm', { details: everything, matchPattern: ['vm*'] });
  assert.deepEqual(
    found.file?.map(({ _typeName }) => _typeName),
    ['VmNvramFileInfo', 'VmConfigFileInfo', 'VmLogFileInfo'],
  );
  const [nvram] = found.file ?? [];
  assert.equal(nvram?.fileSize, 8);
  assert.equal(nvram?.owner, 'root');
  assert.equal(nvram?.modification, (await stat(join(host.root, 'vm/vm.nvram'))).mtime.toISOString());
});

void test('queries choose by kind, with or without case', async () => {
  const { host, search } = await makeBrowser();
  await using _ = host;
  const query = [make('IsoImageFileQuery', {}), make('FolderFileQuery', {})];
  assert.deepEqual(names(await search('[datastore1] vm', { query })), ['cd.iso', 'deep']);
  assert.deepEqual(names(await search('[datastore1] vm', { query, searchCaseInsensitive: true })), [
    'CD.ISO',
    'cd.iso',
    'deep',
  ]);
});

void test('a search below tells only folders with something in them', async () => {
  const { host, searchBelow } = await makeBrowser();
  await using _ = host;
  const found = await searchBelow('[datastore1]', { matchPattern: ['*.iso'] });
  assert.deepEqual(
    found.map((results) => [results.folderPath, names(results)]),
    [
      ['[datastore1] vm/', ['cd.iso']],
      ['[datastore1] vm/deep/', ['x.iso']],
    ],
  );
  assert.equal((await searchBelow('[datastore1]', {}))[0]?.folderPath, '[datastore1] ');
});

void test('a virtual disk is one entry with its details; a data file without descriptor is seen', {
  skip: noImages,
}, async () => {
  const { host, search } = await makeBrowser();
  await using _ = host;
  const shape = { capacityBytes: 8 << 20, adapter: 'buslogic', uuid: '', replace: false } as const;
  await host.disks.create({ path: '[datastore1] vm/thin.vmdk', provisioning: 'thin', ...shape });
  await host.disks.create({ path: '[datastore1] vm/thick.vmdk', provisioning: 'eagerZeroedThick', ...shape });
  await writeFile(join(host.root, 'vm/broken.vmdk'), 'nothing');
  const flags = {
    diskType: true,
    capacityKb: true,
    hardwareVersion: true,
    controllerType: true,
    diskExtents: true,
    thin: true,
  };
  const query = [make('VmDiskFileQuery', { details: make('VmDiskFileQueryFlags', flags) })];
  const found = await search('[datastore1] vm', { query, details: everything });
  assert.deepEqual(names(found), ['broken.vmdk', 'thick.vmdk', 'thin.vmdk']);
  const thick = found.file?.[1] as FileInfo & Record<string, unknown>;
  assert.ok((thick.fileSize ?? 0) >= 8 << 20);
  assert.deepEqual(
    [
      thick['capacityKb'],
      thick['thin'],
      thick['controllerType'],
      thick['diskType'],
      thick['diskExtents'],
      thick['hardwareVersion'],
    ],
    [
      8192,
      false,
      'VirtualBusLogicController',
      'VirtualDiskFlatVer2BackingInfo',
      ['[datastore1] vm/thick-flat.vmdk'],
      21,
    ],
  );
  const filter = make('VmDiskFileQueryFilter', { thin: true });
  assert.deepEqual(names(await search('[datastore1] vm', { query: [make('VmDiskFileQuery', { filter })] })), [
    'thin.vmdk',
  ]);
  await rm(join(host.root, 'vm/thick.vmdk'));
  assert.deepEqual(names(await search('[datastore1] vm', { matchPattern: ['thick*'] })), ['thick-flat.vmdk']);
});

void test('what is not there, not a folder or not allowed is said', async () => {
  const { host, handlers, search } = await makeBrowser();
  await using _ = host;
  await assert.rejects(search('[datastore1] none', {}), (error) => isFault(error, 'FileNotFound'));
  await assert.rejects(search('[datastore1] vm/note', {}), (error) => isFault(error, 'FileNotFound'));
  await assert.rejects(search('[datastore2] vm', {}), (error) => isFault(error, 'InvalidDatastorePath'));
  await assert.rejects(search('[datastore1] vm/link.iso', {}), (error) => isFault(error, 'InvalidDatastorePath'));
  host.refused.add('Datastore.Browse');
  await assert.rejects(search('[datastore1] vm', {}), (error) => isFault(error, 'NoPermission'));
  host.refused.clear();
  await handlers.DeleteFile?.({ datastorePath: '[datastore1] vm/note' }, host.call);
  await assert.rejects(stat(join(host.root, 'vm/note')), { code: 'ENOENT' });
  host.inUse.add(join(host.root, 'vm/vm.vmx'));
  await assert.rejects(
    async () => handlers.DeleteFile?.({ datastorePath: '[datastore1] vm' }, host.call),
    (error) => isFault(error, 'FileLocked'),
  );
});
