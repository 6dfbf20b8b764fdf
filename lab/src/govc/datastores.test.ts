// govc's datastore commands and import.vmdk: files and disks come, are read, copied, moved, changed and removed.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { findRuntime, runProgram } from '@vivarium/qemu';
import type { HostDatastoreBrowserSearchResults } from '@vivarium/vim';
import { labCache } from '../testing/lab-cache.ts';
import { useLabHost } from '../testing/use-lab-host.ts';
import { lines, useGovc, withoutGovc } from './use-govc.ts';

describe('govc and datastores', { skip: withoutGovc }, () => {
  const host = useLabHost();
  const govc = useGovc(host);
  const local = (name: string) => join(host().stateDir, name);
  const qemuImg = async (...args: string[]) => {
    const runtime = await findRuntime(labCache());
    if (!runtime) throw new Error('there is no runtime');
    const command = runtime.direct('/usr/bin/qemu-img', args);
    await runProgram(command.file, command.args);
  };

  before(async () => {
    if (withoutGovc) return;
    await writeFile(local('hello'), 'hello\nworld\n');
  });

  test('datastore.mkdir', async () => {
    await govc.refused(/\[datastore1\] a was not found/, 'datastore.mkdir', 'a/b/c');
    await govc('datastore.mkdir', '-p', 'a/b/c');
    await govc('datastore.mkdir', '-p', 'a/b/c');
    await govc.refused(/already exists/, 'datastore.mkdir', 'a');
  });

  test('datastore.upload, datastore.download, datastore.tail', async () => {
    await govc('datastore.upload', local('hello'), 'a/hello');
    await govc.input('from a pipe', 'datastore.upload', '-', 'a/piped');
    assert.equal(await govc('datastore.download', 'a/piped', '-'), 'from a pipe');
    await govc('datastore.download', 'a/hello', local('back'));
    assert.equal(await readFile(local('back'), 'utf8'), 'hello\nworld\n');
    assert.equal(await govc('datastore.tail', '-c', '3', 'a/hello'), 'ld\n');
    await govc.input(
      Array.from({ length: 5000 }, (_, line) => `${line}\n`).join(''),
      'datastore.upload',
      '-',
      'a/long',
    );
    assert.equal(await govc('datastore.tail', '-n', '2', 'a/long'), '4998\n4999\n');
    await govc('datastore.rm', 'a/long');
    await govc.refused(/404/, 'datastore.upload', local('hello'), 'nowhere/hello');
    await govc.refused(/404/, 'datastore.download', 'a/nothing', '-');
    await govc.refused(/40[04]/, 'datastore.download', '../../etc/passwd', '-');
  });

  test('datastore.cp, datastore.mv, datastore.rm', async () => {
    await govc('datastore.cp', 'a/hello', 'a/copy');
    await govc.refused(/already exists/, 'datastore.cp', 'a/hello', 'a/copy');
    await govc('datastore.cp', '-f', 'a/hello', 'a/copy');
    await govc.refused(/a\/nothing was not found/, 'datastore.cp', 'a/nothing', 'a/other');
    await govc.refused(/already exists/, 'datastore.mv', 'a/copy', 'a/hello');
    await govc('datastore.mv', 'a/copy', 'a/b/moved');
    assert.equal(await govc('datastore.download', 'a/b/moved', '-'), 'hello\nworld\n');
    await govc('datastore.rm', 'a/b/moved');
    await govc.refused(/a\/b\/moved was not found/, 'datastore.rm', 'a/b/moved');
    await govc('datastore.rm', '-f', 'a/b/moved');
  });

  test('what a running VM has open is neither removed nor overwritten', async () => {
    for (const file of ['demo', 'demo/demo.vmx', 'demo/demo.vmdk']) await govc.refused(/locked/, 'datastore.rm', file);
    await govc.refused(/423/, 'datastore.upload', local('hello'), 'demo/demo.vmdk');
    await govc.refused(/423/, 'datastore.upload', local('hello'), 'demo/demo.vmx');
    await govc.refused(/locked/, 'datastore.mv', 'demo/demo.vmdk', 'a/stolen.vmdk');
    assert.match(await govc('datastore.download', 'demo/demo.vmx', '-'), /^displayName = "demo"$/m);
  });

  test('datastore.ls', async () => {
    assert.deepEqual(lines(await govc('datastore.ls', 'a')), ['b', 'hello', 'piped']);
    assert.match(await govc('datastore.ls', '-l', '-p', 'a'), /^0B +.* b\/$\n^12B +.* hello$/m);
    assert.match(await govc('datastore.ls', '-R'), /^\[datastore1\] a\/b\/:\nc$/m);
    assert.deepEqual(lines(await govc('datastore.ls', 'a/h*')), ['hello']);
    const [result] = await govc.json<HostDatastoreBrowserSearchResults[]>('datastore.ls', '-l', 'a');
    assert.equal(result?.file?.find(({ path }) => path === 'hello')?.fileSize, 12);
    await govc.refused(/not found/, 'datastore.ls', 'nothing');
  });

  test('datastore.disk.*', async () => {
    await govc('datastore.disk.create', '-size', '8M', '-d', 'eagerZeroedThick', '-a', 'pvscsi', 'a/thick.vmdk');
    await govc('datastore.disk.create', '-size', '8M', 'a/thin.vmdk');
    await govc.refused(/spec\.diskType/, 'datastore.disk.create', '-size', '8M', '-d', 'nonsense', 'a/odd.vmdk');
    await govc.refused(/already exists/, 'datastore.disk.create', '-size', '8M', 'a/thin.vmdk');
    assert.match(await govc('datastore.disk.info', 'a/thick.vmdk'), /Type: +eagerZeroedThick/);
    assert.match(await govc('datastore.disk.info', '-uuid', 'a/thin.vmdk'), /UUID: +60 00 c2 9/i);
    const [info] = await govc.json<{ Name: string; DiskType: string }[]>('datastore.disk.info', 'a/thin.vmdk');
    assert.deepEqual([info?.Name, info?.DiskType], ['[datastore1] a/thin.vmdk', 'thin']);
    await govc.refused(/not a disk/, 'datastore.disk.info', 'a/hello');
    await govc('datastore.disk.shrink', '-copy=false', 'a/thin.vmdk');
    await govc.refused(/only a thin disk/, 'datastore.disk.shrink', 'a/thick.vmdk');
    await govc('datastore.disk.inflate', 'a/thin.vmdk');
    assert.match(await govc('datastore.disk.info', 'a/thin.vmdk'), /Type: +(eagerZeroedThick|preallocated)/);
    // A disk is copied, moved and removed as one, by the name of its descriptor.
    await govc('datastore.cp', 'a/thick.vmdk', 'a/b/copy.vmdk');
    await govc('datastore.mv', 'a/b/copy.vmdk', 'a/b/moved.vmdk');
    assert.match(await govc('datastore.disk.info', 'a/b/moved.vmdk'), /Name: +a\/b\/moved\.vmdk/);
    await govc('datastore.rm', 'a/b/moved.vmdk');
    assert.deepEqual(lines(await govc('datastore.ls', 'a/b')), ['c']);
  });

  test('import.vmdk makes a disk that a VM can have', async () => {
    await writeFile(local('raw'), Buffer.alloc(4 << 20, 'disk'));
    const convert = ['convert', '-q', '-f', 'raw', '-O', 'vmdk'];
    await qemuImg(...convert, '-o', 'subformat=streamOptimized', local('raw'), local('stream.vmdk'));
    await govc('import.vmdk', local('stream.vmdk'), 'imported');
    await govc('vm.create', '-on=false', '-m', '64', '-disk', 'imported/stream.vmdk', '-link=false', 'importer');
    assert.match(await govc('device.info', '-vm', 'importer', 'disk-*'), /Summary: +4,096 KB/);
    await govc('vm.power', '-on', 'importer');
    await govc('vm.destroy', 'importer');
    await govc.refused(/must be streamOptimized/, 'import.vmdk', local('raw'), 'never');
    assert.doesNotMatch(await govc('datastore.ls'), /never/);
  });

  test('uploaded VMDKs of other kinds become disks by a copy', async () => {
    for (const subformat of ['monolithicSparse', 'twoGbMaxExtentFlat']) {
      const folder = local(subformat);
      await mkdir(folder);
      const image = join(folder, 'image.vmdk');
      await qemuImg('convert', '-q', '-f', 'raw', '-O', 'vmdk', '-o', `subformat=${subformat}`, local('raw'), image);
      const extent = subformat === 'twoGbMaxExtentFlat' ? ['image-f001.vmdk'] : [];
      await govc('datastore.mkdir', subformat);
      for (const name of ['image.vmdk', ...extent])
        await govc('datastore.upload', join(folder, name), `${subformat}/${name}`);
      await govc('datastore.cp', `${subformat}/image.vmdk`, `${subformat}/disk.vmdk`);
      await govc('vm.create', '-on=false', '-m', '64', '-disk', `${subformat}/disk.vmdk`, '-link=false', subformat);
      assert.match(await govc('device.info', '-vm', subformat, 'disk-*'), /Summary: +4,096 KB/);
      await govc('vm.destroy', subformat);
    }
  });

  test('a VMDK that names a file of the machine is not copied', async () => {
    const passwd =
      '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 8 FLAT "/etc/passwd" 0\n';
    await govc.input(passwd, 'datastore.upload', '-', 'a/evil.vmdk');
    await govc.refused(/\[datastore1\] a\/evil\.vmdk/, 'datastore.cp', 'a/evil.vmdk', 'a/good.vmdk');
    assert.doesNotMatch(await govc('datastore.ls', 'a'), /good/);
    await govc('datastore.rm', 'a/evil.vmdk');
  });

  test('datastore.create, datastore.info and datastore.remove', async () => {
    const path = local('second');
    await mkdir(path);
    await govc('datastore.create', '-type', 'local', '-name', 'second', '-path', path, 'esx1');
    await govc.refused(
      /already exists/,
      'datastore.create',
      '-type',
      'local',
      '-name',
      'second',
      '-path',
      path,
      'esx1',
    );
    assert.match(await govc('datastore.info', 'second'), /Name: +second\n[\s\S]*Type: +VMFS/);
    await govc('datastore.cp', '-ds-target', 'second', 'a/thick.vmdk', 'thick.vmdk');
    assert.deepEqual(lines(await govc('datastore.ls', '-ds', 'second')), ['thick.vmdk']);
    await govc('vm.create', '-on=false', '-m', '64', '-ds', 'second', '-disk', '4MB', 'there');
    const there = (await govc('find', '-i', '-type', 'm', '-name', 'there')).trim();
    assert.equal((await govc('object.collect', '-s', 'datastore/second', 'vm')).trim(), there);
    await govc.refused(/in use/, 'datastore.remove', '-ds', 'second', 'esx1');
    await govc('vm.destroy', 'there');
    assert.equal((await govc('object.collect', '-s', 'datastore/second', 'vm')).trim(), '');
    await govc('datastore.remove', '-ds', 'second', 'esx1');
    await govc.refused(/'second' not found/, 'datastore.info', 'second');
    await govc.refused(/in use/, 'datastore.remove', '-ds', 'datastore1', 'esx1');
    const nfs = ['-type', 'nfs', '-name', 'n', '-remote-host', '192.0.2.1', '-remote-path', '/x'];
    await govc.refused(/not supported/, 'datastore.create', ...nfs, 'esx1');
    await govc.refused(/'nothing' not found/, 'datastore.info', 'nothing');
    await govc('datastore.rm', 'a');
  });
});
