// ./viv itself: what each command prints, twice in a row, as root and as somebody else.
import assert from 'node:assert/strict';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { labCache } from '../testing/lab-cache.ts';
import { listQemus, machineTraces } from '../testing/machine-traces.ts';
import { isAlive } from '../testing/process.ts';
import { type RunResult, run } from '../testing/run.ts';
import { needsRoot } from '../testing/use-lab-host.ts';
import { waitFor } from '../testing/wait-for.ts';

const VIV = resolve(import.meta.dirname, '../../../viv');
const COMMANDS = ['up', 'down', 'status', 'env', 'doctor', 'logs', 'backup', 'restore', 'test', 'bench'];
/** Of Debian's user `nobody`. */
const NOBODY = 65_534;

interface Status {
  readonly stateDir: string;
  readonly hosts: readonly {
    readonly name: string;
    readonly state: string;
    readonly vms: readonly { name: string }[];
  }[];
}

function useViv(uid?: number) {
  let stateDir = '';
  before(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'vivcli-'));
    if (uid !== undefined) await chown(stateDir, uid, uid);
  });
  after(async () => {
    await viv('down');
    await rm(stateDir, { recursive: true, force: true });
  });
  const viv = (...args: string[]): Promise<RunResult> =>
    run(VIV, [...args, '--state-dir', stateDir], {
      env: { HOME: stateDir, VIVARIUM_CACHE: labCache() },
      timeoutMs: 300_000,
      ...(uid === undefined ? {} : { uid }),
    });
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await viv(...args);
    assert.equal(code, 0, `viv ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  const status = async () => JSON.parse(await ok('status', '--json')) as Status;
  return { viv, ok, status, dir: () => stateDir };
}

describe('viv', () => {
  const { viv, ok, status, dir } = useViv();

  test('every command tells what it does', async () => {
    const help = (await run(VIV, ['--help'])).stdout;
    for (const command of COMMANDS) {
      assert.match(help, new RegExp(`^  ${command} `, 'm'));
      const { code, stdout } = await run(VIV, [command, '--help']);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^Usage: viv ${command} `));
    }
    const { version } = JSON.parse(await readFile(join(VIV, '../package.json'), 'utf8')) as { version: string };
    assert.equal((await run(VIV, ['version'])).stdout, `${version}\n`);
  });

  test('a mistake is one sentence with its mend, and exit code 1', async () => {
    for (const [says, ...args] of [
      [/unknown command 'u'/, 'u'],
      [/'70000' is no port/, 'up', '--port', '70000'],
      [/'-1' is no count/, 'up', '--hosts', '-1'],
      [/'here' is no IPv4 address/, 'up', '--address', 'here'],
      [/not the address of a store/, 'up', '--store', 'mysql://db'],
      [/another machine: name the CA's file/, 'up', '--store', 'etcd://10.0.0.1:2379'],
      [/a host alone has none/, 'up', '--hosts', '1', '--store', 'etcd://127.0.0.1:2379'],
    ] as const) {
      const { code, stderr } = await viv(...args);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, says);
    }
  });

  test('before anything was brought up', async () => {
    assert.deepEqual((await status()).hosts, []);
    assert.match(await ok('status'), /\.\/viv up/);
    for (const command of ['env', 'logs']) {
      const { code, stdout, stderr } = await viv(command);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /\.\/viv up/);
    }
    assert.match((await viv('down')).stderr, /nothing was brought up/);
  });

  test('doctor tells what the machine can do, and the mend for what it cannot', async () => {
    const facts = JSON.parse(await ok('doctor', '--json')) as { name: string; state: string; mend?: string }[];
    const named = new Map(facts.map((fact) => [fact.name, fact]));
    const all = [
      'user',
      'VMM runtime',
      'accelerator',
      'memory',
      'disk space',
      'tap',
      'virtual switch',
      'page sharing',
      'cgroups',
    ];
    assert.deepEqual([...named.keys()], all);
    assert.equal(named.get('VMM runtime')?.state, 'ok');
    for (const { name, state, mend } of facts) if (state !== 'ok') assert.ok(mend, `${name} has a mend`);
    assert.match(await ok('doctor'), /^[✓~] accelerator +(KVM|TCG)/m);
  });

  test('up prints one JSON object, and finds what runs when it is run again', async () => {
    const first = JSON.parse(await ok('up', '--hosts', '1', '--port', '0', '--json')) as Record<string, unknown>;
    assert.deepEqual(Object.keys(first), ['url', 'username', 'password', 'stateDir', 'hosts', 'vms']);
    assert.match(String(first['url']), /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.ok(String(first['password']).length >= 16);
    const second = JSON.parse(await ok('up', '--hosts', '1', '--port', '0', '--json')) as Record<string, unknown>;
    assert.deepEqual(second, first);
    const human = await ok('up', '--detach');
    for (const says of [first['url'], first['username'], first['password'], 'govc vm.info demo', 'viv status'])
      assert.ok(human.includes(String(says)), human);
    const { hosts } = await status();
    assert.deepEqual(
      hosts.map(({ state, vms }) => [state, vms.map(({ name }) => name)]),
      [['running', ['demo']]],
    );
  });

  test('env is for eval, logs are readable', async () => {
    const script = `eval "$("$1" env --state-dir "$2")" && echo "$GOVC_URL $GOVC_USERNAME $GOVC_INSECURE $GOVC_DATASTORE"`;
    const { stdout } = await run('sh', ['-c', script, 'sh', VIV, dir()]);
    assert.match(stdout, /^https:\/\/127\.0\.0\.1:\d+\/sdk root true datastore1\n$/);
    assert.match(await ok('logs', '-n', '500'), /^\S+Z info  hostd is ready \{"port":\d+,"vms":\d+\}$/m);
    assert.equal((await ok('logs', '-n', '1')).trim().split('\n').length, 1);
  });

  test('down keeps everything, is content when nothing runs, and up brings the same VM back', async () => {
    await ok('down');
    await ok('down');
    assert.deepEqual(
      (await status()).hosts.map(({ state }) => state),
      ['stopped'],
    );
    const again = JSON.parse(await ok('up', '--hosts', '1', '--port', '0', '--json')) as {
      vms: { name: string; ipAddress: string }[];
    };
    assert.deepEqual(
      again.vms.map(({ name }) => name),
      ['demo'],
    );
    assert.match(again.vms[0]?.ipAddress ?? '', /^\d+\./);
  });

  test('down ends guests and switch of a hostd that was killed too', async () => {
    const hostDir = join(dir(), 'esx1');
    const { pid } = JSON.parse(await readFile(join(hostDir, 'hostd.pid'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await waitFor('hostd to be gone', async () => !isAlive(pid));
    assert.equal((await listQemus(hostDir)).length, 1);
    await ok('down');
    const traces = await machineTraces(hostDir);
    assert.deepEqual(Object.values(traces).flat(), []);
    assert.match((await viv('down')).stderr, /esx1 is not running/);
  });
});

// Root first: it installs what is missing.
const isReadable =
  needsRoot === false &&
  (await run(VIV, ['version'])).code === 0 &&
  (await run(VIV, ['version'], { uid: NOBODY, cwd: '/' })).code === 0;

describe('viv for somebody who is not root', {
  skip: needsRoot || (!isReadable && 'not run: other users cannot read this checkout'),
}, () => {
  const { viv, ok, status } = useViv(NOBODY);

  test('brings one host up, and says what is reduced', async () => {
    assert.match(await ok('doctor'), /^~ user +not root: user-mode networking/m);
    const { code, stdout, stderr } = await viv('up', '--hosts', '1', '--port', '0', '--detach');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /you are not root: guests get user-mode networking/);
    assert.match(stdout, /demo VM +10\.0\.2\.15/);
    assert.deepEqual(
      (await status()).hosts.map(({ state }) => state),
      ['running'],
    );
    await ok('down');
  });
});
