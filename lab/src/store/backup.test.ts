// viv backup and viv restore: from a vCenter that runs, into another engine and back, and what is refused.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { VimClient } from '@vivarium/client';
import { run } from '../testing/run.ts';
import { waitFor } from '../testing/wait-for.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { makeThings, requireThings } from './things.ts';
import { needsEtcd } from './use-etcd.ts';

const VIV = resolve(import.meta.dirname, '../../../packages/cli/src/main.ts');

interface Up {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly standsBy?: boolean;
}

class Place implements AsyncDisposable {
  readonly dir: string;

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), 'viv-backup-')));
  }

  private constructor(dir: string) {
    this.dir = dir;
  }

  run(...args: string[]) {
    const flags = ['--disable-warning=ExperimentalWarning', VIV, ...args, '--state-dir', this.dir];
    return run(process.execPath, flags, { timeoutMs: 120_000 });
  }

  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    assert.equal(code, 0, `viv ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  async refused(says: RegExp, ...args: string[]): Promise<void> {
    const { code, stderr } = await this.run(...args);
    assert.equal(code, 1, args.join(' '));
    assert.match(stderr, says);
    assert.equal(stderr.trimEnd().split('\n').length, 2, `one sentence with its mend: ${stderr}`);
  }

  async up(...args: string[]): Promise<Up> {
    return JSON.parse(await this.ok('up', '--detach', '--json', '--hosts', '0', '--port', '0', ...args)) as Up;
  }

  async connect({ url }: Up, { username = '', password = '' }: Up): Promise<VimClient & Disposable> {
    const authority = await readFile(join(this.dir, 'vcenter', 'certificates', 'root.crt'), 'utf8');
    const client = new VimClient({ url, trust: { authority } });
    await client.login(username, password);
    return Object.assign(client, { [Symbol.dispose]: () => client.close() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('down');
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** What a backup holds, but the mark of its being restored. */
async function contents(file: string): Promise<string[]> {
  const lines = gunzipSync(await readFile(file))
    .toString()
    .split('\n');
  return lines.filter((line) => /^[de]\t/.test(line) && !line.startsWith('d\t"vcenter/era"'));
}

void test('a vCenter is backed up while it runs, restored into etcd, followed there by another, and restored into a file again', {
  ...needsEtcd,
  timeout: 240_000,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start());
  const [one, other, last] = [await Place.make(), await Place.make(), await Place.make()];
  for (const place of [one, other, last]) stack.use(place);
  const file = join(one.dir, 'state.backup');
  await one.refused(/there is no state of a vCenter/, 'backup', file);
  const first = await one.up();
  {
    using client = await one.connect(first, first);
    await makeThings(client, 'a');
    // It goes on while it is backed up; all of that is in the backup, or nothing.
    await Promise.all([one.ok('backup', file), makeThings(client, 'b')]);
    await one.ok('backup', file);
  }
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await one.refused(/vCenter is running/, 'restore', file);
  await one.ok('down');
  const damaged = join(one.dir, 'damaged');
  const whole = await readFile(file);
  await writeFile(damaged, whole.subarray(0, whole.length / 2));
  await one.refused(/damaged|too early/, 'restore', damaged, '--store', cluster.url);
  await one.refused(/is no file/, 'restore', one.dir, '--store', cluster.url);
  const newer = join(one.dir, 'newer');
  await writeFile(newer, gzipSync(gunzipSync(whole).toString().replace('"version":1', '"version":2')));
  await one.refused(/the backup has version 2/, 'restore', newer, '--store', cluster.url);

  await one.ok('restore', file, '--store', cluster.url);
  const fromEtcd = join(one.dir, 'etcd.backup');
  await one.ok('backup', fromEtcd);
  assert.deepEqual(await contents(fromEtcd), await contents(file));
  const second = await one.up();
  {
    using client = await one.connect(second, first);
    for (const name of ['a', 'b']) await requireThings(client, name);
  }
  const standby = await other.up('--store', cluster.url);
  assert.equal(standby.standsBy, true);
  assert.match(await other.ok('status'), /^vcenter {2}stands by {2}https:.* {2}etcd:/);
  await other.refused(/stands by: another vCenter leads/, 'env');
  await last.refused(/the lock vpxd is held/, 'restore', file, '--store', cluster.url);
  await one.ok('down');
  await waitFor('the other to lead', async () => /^vcenter {2}running/.test(await other.ok('status')));
  {
    using client = await other.connect(standby, first);
    for (const name of ['a', 'b']) await requireThings(client, name);
    await makeThings(client, 'c');
  }
  await other.ok('backup', file);
  await last.ok('restore', file);
  const again = join(last.dir, 'again.backup');
  await last.ok('backup', again);
  assert.deepEqual(await contents(again), await contents(file));
  const third = await last.up();
  using client = await last.connect(third, first);
  for (const name of ['a', 'b', 'c']) await requireThings(client, name);
});
