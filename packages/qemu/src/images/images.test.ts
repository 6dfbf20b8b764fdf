import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  rmdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeRuntimeRoot } from '../runtime/runtime-root.ts';
import { testRuntime } from '../test-runtime.ts';
import { convertUpload, copyImage, exportStreamOptimized } from './convert-image.ts';
import { createDisk, resizeDisk } from './create-disk.ts';
import { ImageError, ImageExistsError, ImageRefusedError, NoSpaceError } from './image-error.ts';
import { allocatedBytes, compareImages, imageInfo } from './image-info.ts';
import { removeUnfinishedFiles } from './new-file.ts';

const MIB = 1 << 20;
const path = testRuntime();
const skip = path === undefined ? 'no runtime root on this machine' : false;
const tools = { runtime: { path: path ?? '/none' } };
const isRoot = process.getuid?.() === 0;
const canMount = isRoot && existsSync('/usr/bin/mount');

/** The unprivileged way to make images that our own code never makes. */
function qemuImg(...args: string[]): string {
  const command = makeRuntimeRoot(tools.runtime.path, '').direct('qemu-img', args);
  return execFileSync(command.file, command.args, { encoding: 'utf8' });
}

async function folder(context: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'viv-images-'));
  context.after(() => rm(made, { recursive: true }));
  return made;
}

/** A raw disk with something at its start and its end. */
async function sample(file: string, sizeBytes = 8 * MIB): Promise<{ driver: 'raw'; file: string }> {
  const handle = await open(file, 'wx');
  await handle.write(randomBytes(MIB), 0, MIB, 0);
  await handle.write(randomBytes(4096), 0, 4096, sizeBytes - 4096);
  await handle.close();
  return { driver: 'raw', file };
}

void test('new disks have their size and take up what was asked for', { skip }, async (context) => {
  const at = await folder(context);
  for (const format of ['qcow2', 'raw'] as const) {
    for (const preallocation of ['off', 'falloc', 'full'] as const) {
      const file = join(at, `${format}-${preallocation}`);
      await createDisk(tools, { path: file, format, preallocation, sizeBytes: 16 * MIB });
      assert.equal((await imageInfo(tools, { driver: format, file })).virtualSizeBytes, 16 * MIB);
      const isSmall = (await allocatedBytes(file)) < 2 * MIB;
      assert.equal(isSmall, preallocation === 'off', file);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
    }
  }
  assert.equal((await readdir(at)).length, 6, 'no temporary files are left');
});

void test('a disk that is there is not replaced', { skip }, async (context) => {
  const file = join(await folder(context), 'd.qcow2');
  await writeFile(file, 'precious');
  await assert.rejects(createDisk(tools, { path: file, format: 'qcow2', sizeBytes: MIB }), ImageExistsError);
  assert.equal(await readFile(file, 'utf8'), 'precious');
});

void test('disks grow, and never shrink', { skip }, async (context) => {
  const at = await folder(context);
  for (const format of ['qcow2', 'raw'] as const) {
    const file = join(at, format);
    await createDisk(tools, { path: file, format, sizeBytes: 4 * MIB });
    await resizeDisk(tools, { path: file, format, sizeBytes: 32 * MIB });
    assert.equal((await imageInfo(tools, { driver: format, file })).virtualSizeBytes, 32 * MIB);
    await assert.rejects(resizeDisk(tools, { path: file, format, sizeBytes: 4 * MIB }), RangeError);
  }
  await assert.rejects(
    createDisk(tools, { path: join(at, 'x'), format: 'raw', sizeBytes: 63 * 1024 ** 4 }),
    RangeError,
  );
  await assert.rejects(createDisk(tools, { path: join(at, 'x'), format: 'raw', sizeBytes: 100 }), RangeError);
});

void test('copies read the same, through a chain too, and tell how far they are', { skip }, async (context) => {
  const at = await folder(context);
  const base = await sample(join(at, 'base.raw'));
  const top = join(at, 'top.qcow2');
  qemuImg('create', '-q', '-f', 'qcow2', '-b', base.file, '-F', 'raw', top);
  const chain = { driver: 'qcow2', file: top, backing: base } as const;
  const seen: number[] = [];
  const copy = { driver: 'qcow2', file: join(at, 'copy.qcow2') } as const;
  await copyImage(tools, chain, { path: copy.file, format: 'qcow2' }, { progress: (fraction) => seen.push(fraction) });
  assert.equal(await compareImages(tools, [base, copy]), true);
  assert.equal(seen.at(-1), 1);
  assert.deepEqual((await imageInfo(tools, copy)).references, []);
  const other = { driver: 'raw', file: join(at, 'other.raw') } as const;
  await createDisk(tools, { path: other.file, format: 'raw', sizeBytes: 8 * MIB });
  assert.equal(await compareImages(tools, [base, other]), false);
});

void test('a copy that is cancelled leaves nothing', { skip }, async (context) => {
  const at = await folder(context);
  const source = await sample(join(at, 'source.raw'), 256 * MIB);
  const abort = new AbortController();
  const options = { signal: abort.signal, progress: () => abort.abort(new Error('changed my mind')) };
  await assert.rejects(
    copyImage(tools, source, { path: join(at, 'copy'), format: 'raw', preallocation: 'full' }, options),
    /changed my mind/,
  );
  assert.deepEqual(await readdir(at), ['source.raw']);
});

const FORMS = ['streamOptimized', 'monolithicSparse', 'monolithicFlat', 'twoGbMaxExtentSparse', 'twoGbMaxExtentFlat'];
for (const form of FORMS) {
  void test(`an uploaded ${form} VMDK becomes a disk with the same content`, { skip }, async (context) => {
    const at = await folder(context);
    const raw = await sample(join(at, 'source.raw'));
    const up = join(at, 'up');
    await mkdir(up);
    qemuImg('convert', '-f', 'raw', '-O', 'vmdk', '-o', `subformat=${form}`, raw.file, join(up, 'up.vmdk'));
    const extents = (await readdir(up)).filter((name) => name !== 'up.vmdk').map((name) => join(up, name));
    const source = { driver: 'vmdk', file: join(up, 'up.vmdk'), extents } as const;
    for (const format of ['qcow2', 'raw'] as const) {
      const target = join(at, format);
      await convertUpload(tools, { source, capacityBytes: 8 * MIB }, { path: target, format });
      assert.equal(await compareImages(tools, [raw, { driver: format, file: target }]), true);
    }
  });
}

void test('without a jail the same works in place', {
  skip: skip || (isRoot ? 'only for ordinary users' : false),
}, async (context) => {
  const at = await folder(context);
  const raw = await sample(join(at, 'a,b.raw'));
  const plain = { ...tools, jail: 'none' } as const;
  const copy = { driver: 'qcow2', file: join(at, 'copy, too') } as const;
  await copyImage(plain, raw, { path: copy.file, format: 'qcow2' });
  await resizeDisk(plain, { path: copy.file, format: 'qcow2', sizeBytes: 16 * MIB });
  assert.equal((await imageInfo(plain, copy)).virtualSizeBytes, 16 * MIB);
  await assert.rejects(copyImage(plain, raw, { path: copy.file, format: 'qcow2' }), ImageExistsError);
});

void test('an export can be uploaded again', { skip }, async (context) => {
  const at = await folder(context);
  const raw = await sample(join(at, 'source.raw'));
  const out = join(at, 'out.vmdk');
  await exportStreamOptimized(tools, raw, { path: out });
  assert.equal((await readFile(out)).subarray(0, 4).toString(), 'KDMV');
  const upload = { source: { driver: 'vmdk', file: out }, capacityBytes: 8 * MIB } as const;
  await convertUpload(tools, upload, { path: join(at, 'back'), format: 'qcow2' });
  assert.equal(await compareImages(tools, [raw, { driver: 'qcow2', file: join(at, 'back') }]), true);
});

// These go past the parser that has to refuse them first: the jail alone holds.
void test('hostile images leak nothing', { skip }, async (context) => {
  const at = await folder(context);
  const secret = join(at, 'secret');
  await writeFile(secret, 'TOP SECRET'.padEnd(MIB, 'x'));
  await chmod(secret, 0o644);
  const up = join(at, 'up');
  await mkdir(up);
  const target = { path: join(at, 'target'), format: 'raw' } as const;
  const refuses = async (name: string, driver: 'qcow2' | 'vmdk', wrong: RegExp | typeof ImageError = ImageError) => {
    const upload = { source: { driver, file: join(up, name) }, capacityBytes: MIB } as const;
    await assert.rejects(convertUpload(tools, upload, target), wrong, name);
    assert.equal((await readdir(at)).includes('target'), false, name);
  };

  qemuImg('create', '-q', '-f', 'qcow2', '-b', secret, '-F', 'raw', join(up, 'backing.qcow2'));
  await refuses('backing.qcow2', 'qcow2', /refers to another file/);
  // Even copied without the check, the backing file is not read.
  await copyImage(
    tools,
    { driver: 'qcow2', file: join(up, 'backing.qcow2') },
    { path: join(at, 'copied'), format: 'raw' },
  );
  assert.equal((await readFile(join(at, 'copied'))).includes('SECRET'), false);

  qemuImg(
    'create',
    '-q',
    '-f',
    'qcow2',
    '-o',
    `data_file=${secret}.data,data_file_raw=on`,
    join(up, 'data.qcow2'),
    '1M',
  );
  await refuses('data.qcow2', 'qcow2');

  const descriptor = (extent: string, more = '') =>
    `# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="monolithicFlat"\n${more}${extent}\nddb.adapterType = "lsilogic"\n`;
  const extents = {
    'absolute.vmdk': `RW 2048 FLAT "${secret}" 0`,
    'relative.vmdk': 'RW 2048 FLAT "../secret" 0',
    'proc.vmdk': 'RW 8 FLAT "/proc/self/environ" 0',
    'runtime.vmdk': 'RW 2048 FLAT "nbd:127.0.0.1:10809" 0',
    'device.vmdk': 'RW 2048 FLAT "/dev/vda" 0',
  };
  for (const [name, extent] of Object.entries(extents)) {
    await writeFile(join(up, name), descriptor(extent));
    await refuses(name, 'vmdk');
  }
});

void test('an image of another size than announced is refused', { skip }, async (context) => {
  const at = await folder(context);
  const raw = await sample(join(at, 'source.raw'));
  const upload = { source: raw, capacityBytes: 16 * MIB };
  await assert.rejects(convertUpload(tools, upload, { path: join(at, 't'), format: 'raw' }), ImageRefusedError);
});

void test('links and special files are not taken for images', { skip }, async (context) => {
  const at = await folder(context);
  const raw = await sample(join(at, 'source.raw'));
  await symlink(raw.file, join(at, 'soft'));
  await link(raw.file, join(at, 'hard'));
  execFileSync('mkfifo', [join(at, 'pipe')]);
  for (const name of ['soft', 'hard', 'pipe']) {
    await assert.rejects(imageInfo(tools, { driver: 'raw', file: join(at, name) }), ImageRefusedError, name);
  }
});

void test('garbage is an error with QEMU’s words, never a hang', { skip }, async (context) => {
  const at = await folder(context);
  await writeFile(join(at, 'x'), randomBytes(65536));
  await assert.rejects(imageInfo(tools, { driver: 'qcow2', file: join(at, 'x') }), /not in qcow2 format/);
  await assert.rejects(imageInfo(tools, { driver: 'vmdk', file: join(at, 'x') }), ImageError);
});

void test('a full file system is told apart and left as it was', {
  skip: skip || (canMount ? false : 'needs root and mount'),
}, async (context) => {
  const at = await folder(context);
  const small = await mkdtemp(join(tmpdir(), 'viv-small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'small', small]);
  context.after(async () => {
    execFileSync('umount', [small]);
    await rmdir(small);
  });
  const reserved = { path: join(small, 'd'), format: 'raw', preallocation: 'full', sizeBytes: 64 * MIB } as const;
  await assert.rejects(createDisk(tools, reserved), NoSpaceError);
  const handle = await open(join(at, 'dense'), 'wx');
  await handle.writeFile(randomBytes(8 * MIB));
  await handle.close();
  const dense = { driver: 'raw', file: join(at, 'dense') } as const;
  for (const format of ['qcow2', 'raw'] as const) {
    await assert.rejects(copyImage(tools, dense, { path: join(small, 'd'), format }), NoSpaceError, format);
  }
  assert.deepEqual(await readdir(small), []);
});

void test('what a killed writer left is found by its name', async (context) => {
  const at = await folder(context);
  for (const name of ['.a.qcow2.0123456789abcdef.part', 'a.qcow2', '.hidden', '.x.part'])
    await writeFile(join(at, name), '');
  assert.deepEqual(await removeUnfinishedFiles(at), ['.a.qcow2.0123456789abcdef.part']);
  assert.deepEqual((await readdir(at)).sort(), ['.hidden', '.x.part', 'a.qcow2']);
});
