import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Jail, jailCommand } from './jail.ts';

const jail: Jail = {
  ...{ mode: 'full', runtimePath: '/runtime', uid: 4242, devices: [], workFolder: '/', network: 'none' },
  ...{ whenStarterEnds: 'outlive', binds: [{ host: '/data/vm 1', inside: '/vm', writable: true }] },
};

const command = (change: Partial<Jail>) =>
  jailCommand({ ...jail, ...change }, '/usr/bin/qemu-img', ['--version']).args.join(' ');

void suite('a jail', () => {
  void test('has no network but its own, unless that is wanted', () => {
    assert.match(command({}), /--unshare-net/);
    assert.doesNotMatch(command({ network: 'host' }), /--unshare-net/);
    assert.match(command({ mode: 'user' }), /--unshare-all/);
    assert.doesNotMatch(command({ mode: 'user' }), /--share-net/);
    assert.match(command({ mode: 'user', network: 'host' }), /--unshare-all --share-net/);
  });

  void test('of root ends in another uid, without capabilities', () => {
    const drop =
      '-- /usr/bin/setpriv --reuid 4242 --regid 4242 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all --';
    assert.ok(command({}).endsWith(`${drop} /usr/bin/qemu-img --version`), command({}));
    assert.match(command({ groups: [105, 7] }), /--groups 105,7 /);
    for (const uid of [0, -1, 1.5, Number.NaN]) assert.throws(() => command({ uid }), RangeError);
  });

  void test('lets go of a VMM and ends a tool', () => {
    assert.match(command({}), /--as-pid-1/);
    assert.doesNotMatch(command({}), /--die-with-parent/);
    assert.match(command({ whenStarterEnds: 'die' }), /--die-with-parent/);
  });

  void test('shows folders that others may enter on the way to its own', () => {
    const binds = [{ host: '/x', inside: '/run/deep/vm', writable: false }];
    assert.match(command({ binds }), /--perms 0755 --dir \/run --perms 0755 --dir \/run\/deep /);
    assert.match(command({ binds }), /--ro-bind \/x \/run\/deep\/vm --remount-ro \//);
  });

  void test('takes absolute paths only', () => {
    assert.throws(() => command({ binds: [{ host: 'x', inside: '/x', writable: false }] }), RangeError);
    assert.throws(() => command({ binds: [{ host: '/x', inside: '--uid', writable: false }] }), RangeError);
    assert.throws(() => command({ workFolder: 'x' }), RangeError);
    assert.throws(() => jailCommand(jail, 'qemu-img', []), RangeError);
  });

  void test('that is none moves nothing', () => {
    assert.throws(() => command({ mode: 'none' }), RangeError);
    const same = { ...jail, mode: 'none', binds: [{ host: '/vm', inside: '/vm', writable: true }] } as const;
    const { file, args } = jailCommand(same, '/usr/bin/qemu-img', ['--version']);
    assert.equal(file, '/runtime/usr/lib64/ld-linux-x86-64.so.2');
    assert.deepEqual(args.slice(-2), ['/runtime/usr/bin/qemu-img', '--version']);
  });
});
