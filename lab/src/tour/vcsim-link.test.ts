// A link named vcsim to ./viv, in the place of vcsim: started by a test program, found by its environment file, ended by a signal.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { run } from '../testing/run.ts';
import { waitFor } from '../testing/wait-for.ts';

const VIV = resolve(import.meta.dirname, '../../../viv');

void test('a link named vcsim stands in for vcsim', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'vivvcsim-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const vcsim = join(folder, 'vcsim');
  await symlink(VIV, vcsim);
  assert.match((await run(vcsim, ['uuidgen'])).stdout, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/);

  const environment = join(folder, 'env');
  const child = spawn(vcsim, ['-l', '127.0.0.1:0', '-E', environment, '-vm', '3'], { stdio: 'inherit' });
  stack.defer(() => void child.kill('SIGKILL'));
  const text = await waitFor('its environment file', () => readFile(environment, 'utf8').catch(() => undefined));
  const [, url = '', pid] = /GOVC_URL=(\S+) GOVC_SIM_PID=(\d+)/.exec(text) ?? [];
  assert.equal(Number(pid), child.pid, 'who ends the process ends the simulator');
  const asked = get(new URL('/sdk/vimServiceVersions.xml', url), { rejectUnauthorized: false, agent: false });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 200);
  answer.resume();

  const second = await run(vcsim, ['-l', new URL(url).host]);
  assert.equal(second.code, 2);
  assert.match(second.stderr, /^viv sim: -l 127\.0\.0\.1:\d+ cannot be listened on: .*\n$/);
  const nowhere = await run(vcsim, ['-l', '127.0.0.1:0', '-vm', '0', '-E', join(folder, 'none', 'env')]);
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /^viv sim: -E cannot be written: .*\n$/);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
