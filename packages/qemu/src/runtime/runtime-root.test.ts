import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { testRuntime } from '../test-runtime.ts';
import { makeRuntimeRoot, openRuntimeRoot, type ProgramCommand } from './runtime-root.ts';

const run = async ({ file, args }: ProgramCommand) => (await promisify(execFile)(file, [...args])).stdout;
const path = testRuntime();
const skip = path === undefined ? 'no runtime root on this machine' : false;
const root = makeRuntimeRoot(path ?? '/none', '11.1.3');
const isRoot = process.getuid?.() === 0;

void test('a folder without a whole stamp is not a runtime', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'viv-root-'));
  context.after(() => rm(folder, { recursive: true }));
  assert.equal(await openRuntimeRoot(folder), undefined);
  await writeFile(join(folder, 'vivarium-runtime.json'), '{"recipe": "x"');
  assert.equal(await openRuntimeRoot(folder), undefined);
  const stamp = { recipe: 'x', name: 'qemu-1', qemuVersion: '11.1.3', built: '2026-01-01T00:00:00Z', packages: {} };
  await writeFile(join(folder, 'vivarium-runtime.json'), JSON.stringify(stamp));
  assert.equal((await openRuntimeRoot(folder))?.version, '11.1.3');
});

void test('programs of the root run on the host', { skip }, async () => {
  assert.match(await run(root.command('ovs-vswitchd', ['--version'])), /Open vSwitch/);
  assert.match(await run(root.command('dnsmasq', ['--version'])), /Dnsmasq version/);
  assert.match(await run(root.direct('qemu-img', ['--version'])), /qemu-img version 11\./);
});

void test('a bound folder is seen at its own place, writable; what is not bound is not there', {
  skip,
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'viv-root-'));
  const other = await mkdtemp(join(tmpdir(), 'viv-root-'));
  context.after(() => Promise.all([folder, other].map((path) => rm(path, { recursive: true }))));
  const image = join(folder, 'x.img');
  await run(root.command('qemu-img', ['create', '-q', '-f', 'raw', image, '1M'], { binds: [folder] }));
  assert.match(await run(root.command('qemu-img', ['info', '-f', 'raw', image], { readOnlyBinds: [folder] })), /1 MiB/);
  await assert.rejects(
    run(root.command('qemu-img', ['create', '-f', 'raw', join(other, 'y.img'), '1M'], { binds: [folder] })),
  );
});

void test("a service keeps root's rights over the host's network", {
  skip: skip || (isRoot ? false : 'needs root'),
}, async () => {
  assert.equal(typeof (await run(root.command('nft', ['list', 'ruleset']))), 'string');
  assert.match(await run(root.command('ip', ['link'])), /\blo:/);
});

void test('without network there is only a loopback', { skip }, async () => {
  const links = await run(root.command('ip', ['-o', 'link'], { network: false }));
  assert.equal(links.trim().split('\n').length, 1);
});
