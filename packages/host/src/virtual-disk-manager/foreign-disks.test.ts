// Disks that strangers upload, in every published form, and hostile ones. The images are QEMU's own.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFault } from '@vivarium/vim';
import { makeDisks, noImages, qemuImg } from './fixtures.ts';

const MB = 1024 * 1024;
const formats = ['streamOptimized', 'monolithicSparse', 'monolithicFlat', 'twoGbMaxExtentSparse', 'twoGbMaxExtentFlat'];

async function makeUpload(folder: string, format: string): Promise<{ raw: string; name: string }> {
  const raw = join(folder, '..', `${format}.raw`);
  const content = Buffer.alloc(8 * MB);
  randomBytes(3 * MB).copy(content, MB);
  await writeFile(raw, content);
  await qemuImg('convert', '-f', 'raw', '-O', 'vmdk', '-o', `subformat=${format}`, raw, join(folder, `${format}.vmdk`));
  return { raw, name: `${format}.vmdk` };
}

for (const format of formats) {
  void test(`an uploaded ${format} disk is opened with its content, and becomes one of ours`, {
    skip: noImages,
  }, async () => {
    await using host = await makeDisks();
    const folder = join(host.root, 'vm');
    await mkdir(folder);
    const { raw, name } = await makeUpload(folder, format);
    assert.equal(host.disks.findDisk(`[datastore1] vm/${name}`)?.capacityBytes, 8 * MB);
    const open = await host.disks.open(`[datastore1] vm/${name}`);
    const node = JSON.stringify({ driver: open.format, file: { driver: 'file', filename: open.file } });
    assert.match(
      await qemuImg('compare', `json:${node}`, `json:{"driver":"raw","file":{"driver":"file","filename":"${raw}"}}`),
      /identical/,
    );
    const isFlat = format === 'monolithicFlat'; // used in place
    const expected = isFlat ? [`${format}-flat.vmdk`, name] : [`${format}.qcow2`, name];
    assert.deepEqual((await readdir(folder)).sort(), expected.sort());
    assert.deepEqual(await host.disks.open(`[datastore1] vm/${name}`), open);
  });

  void test(`an uploaded ${format} disk is copied and stays as it is`, { skip: noImages }, async () => {
    await using host = await makeDisks();
    const folder = join(host.root, 'vm');
    await mkdir(folder);
    const { raw, name } = await makeUpload(folder, format);
    const before = await readdir(folder);
    const percents: number[] = [];
    const onProgress = (percent: number) => void percents.push(percent);
    await host.disks.copy(
      `[datastore1] vm/${name}`,
      '[datastore1] vm/copy.vmdk',
      { provisioning: 'lazyZeroedThick' },
      { onProgress },
    );
    const copy = await readFile(join(folder, 'copy-flat.vmdk'));
    assert.ok(copy.equals(await readFile(raw)));
    assert.deepEqual((await readdir(folder)).sort(), [...before, 'copy.vmdk', 'copy-flat.vmdk'].sort());
  });
}

const descriptor = (createType: string, extents: string, more = '') =>
  `# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="${createType}"\n${more}\n${extents}\nddb.adapterType = "lsilogic"\n`;

const hostile: Readonly<Record<string, string>> = {
  'an absolute extent': descriptor('monolithicFlat', 'RW 16 FLAT "/etc/passwd" 0'),
  'an extent that climbs': descriptor('monolithicFlat', 'RW 16 FLAT "../../secret" 0'),
  'an absolute vmfs extent': descriptor('vmfs', 'RW 16 VMFS "/etc/passwd"'),
  'a link as extent': descriptor('monolithicFlat', 'RW 1 FLAT "link" 0'),
  'a missing extent': descriptor('monolithicFlat', 'RW 16 FLAT "nothing.vmdk" 0'),
  'an extent larger than its file': descriptor('monolithicFlat', 'RW 1600 FLAT "small" 0'),
  'a device mapping': descriptor('vmfsRawDeviceMap', 'RW 16 VMFSRDM "small"'),
  'a parent': descriptor('monolithicFlat', 'RW 1 FLAT "small" 0', 'parentFileNameHint="/etc/passwd"').replace(
    'ffffffff',
    '11111111',
  ),
  'a qcow2 named by a descriptor, absolute': descriptor(
    'vmfs',
    'RW 1 VMFS "a-flat.vmdk"\nddb.vivarium.format = "qcow2"\nddb.vivarium.data = "/etc/passwd"',
  ),
  'our own hidden file': descriptor('vmfs', 'RW 1 VMFS ".viv-datastore.json"'),
  encryption: descriptor('monolithicFlat', 'RW 1 FLAT "small" 0', 'encryption.keySafe = "vmware:key"'),
  'nothing at all': '',
  'random bytes': randomBytes(4096).toString('latin1'),
};

for (const [what, text] of Object.entries(hostile)) {
  void test(`refused: ${what}`, { skip: noImages }, async () => {
    await using host = await makeDisks();
    const folder = join(host.root, 'vm');
    await mkdir(folder);
    await writeFile(join(host.path, 'secret'), 'secret'.repeat(100));
    await writeFile(join(folder, 'small'), Buffer.alloc(512));
    await symlink('/etc/passwd', join(folder, 'link'));
    await writeFile(join(folder, 'a.vmdk'), text);
    const before = await readdir(folder);
    const isRefused = (error: unknown) =>
      isFault(error, 'InvalidDiskFormat') || isFault(error, 'FileNotFound') || isFault(error, 'CannotAccessFile');
    await assert.rejects(host.disks.open('[datastore1] vm/a.vmdk'), isRefused);
    await assert.rejects(
      host.disks.copy('[datastore1] vm/a.vmdk', '[datastore1] vm/b.vmdk', { provisioning: 'thin' }),
      isRefused,
    );
    assert.deepEqual(await readdir(folder), before);
    await host.disks.remove('[datastore1] vm/a.vmdk');
  });
}

void test('refused: a data file that is a qcow2 with a backing file, an external data file, or the wrong size', {
  skip: noImages,
}, async () => {
  await using host = await makeDisks();
  const folder = join(host.root, 'vm');
  await mkdir(folder);
  const path = '[datastore1] vm/a.vmdk';
  await host.disks.create({
    path,
    capacityBytes: 8 * MB,
    provisioning: 'thin',
    adapter: 'lsilogic',
    uuid: '',
    replace: false,
  });
  const data = join(folder, 'a.qcow2');
  await copyFile(data, join(folder, 'good'));
  const isRefused = (error: unknown) => isFault(error, 'InvalidDiskFormat');
  await qemuImg('create', '-q', '-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', '-u', data, `${8 * MB}`);
  await assert.rejects(host.disks.open(path), isRefused);
  await qemuImg('create', '-q', '-f', 'qcow2', '-o', `data_file=${join(folder, 'outside')}`, data, `${8 * MB}`);
  await assert.rejects(host.disks.open(path), isRefused);
  await qemuImg('create', '-q', '-f', 'qcow2', data, `${4 * MB}`);
  await assert.rejects(host.disks.open(path), isRefused);
  await writeFile(data, 'no image');
  await assert.rejects(host.disks.open(path), isRefused);
  await copyFile(join(folder, 'good'), data);
  await host.disks.open(path);
});
