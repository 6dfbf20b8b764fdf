// The intent-named commands against QEMU's documented replies, and against wrong ones.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { queryGuestMemory } from './balloon.ts';
import { blockdevAddAll, queryBlock } from './block.ts';
import { deviceDelete, plugCpus } from './devices.ts';
import { QmpError } from './errors.ts';
import { readEvent } from './events.ts';
import { type Answer, fakeQemu } from './fake-qemu.ts';
import { sendKeys, strokeKeys } from './input.ts';
import { saveState } from './migration.ts';
import { queryRxFilter } from './network.ts';
import { queryStatus } from './run-state.ts';
import { ProtocolError } from './wire.ts';

const ok: Answer = { return: {} };

void suite('commands', () => {
  void test('read the run state, also one that is not known yet', async () => {
    const { monitor } = await fakeQemu(() => ({ return: { status: 'paused', running: false } }));
    assert.deepEqual(await queryStatus(monitor), { state: 'paused', isRunning: false });
    const later = await fakeQemu(() => ({ return: { status: 'levitating', running: true } }));
    assert.deepEqual(await queryStatus(later.monitor), { state: 'internal-error', isRunning: true });
    const wrong = await fakeQemu(() => ({ return: ['x'] }));
    await assert.rejects(queryStatus(wrong.monitor), ProtocolError);
  });

  void test('wait until a device is really gone', async () => {
    const qemu = await fakeQemu();
    let isGone = false;
    const gone = deviceDelete(qemu.monitor, 'disk-1').then(() => {
      isGone = true;
    });
    qemu.emit('DEVICE_DELETED', { path: '/machine/peripheral/disk-1/virtio-backend' });
    qemu.emit('DEVICE_DELETED', { device: 'disk-2', path: '/machine/peripheral/disk-2' });
    await qemu.monitor.execute('anything');
    assert.equal(isGone, false);
    qemu.emit('DEVICE_DELETED', { device: 'disk-1', path: '/machine/peripheral/disk-1' });
    await gone;
  });

  void test('tell a guest that keeps a device from a QEMU that refuses', async () => {
    const keeping = await fakeQemu();
    const kept = deviceDelete(keeping.monitor, 'disk-1');
    keeping.emit('DEVICE_UNPLUG_GUEST_ERROR', { device: 'disk-1', path: '/machine/peripheral/disk-1' });
    await assert.rejects(kept, /the guest keeps disk-1/);
    const refusing = await fakeQemu(() => ({ error: { class: 'DeviceNotFound', desc: 'no' } }));
    await assert.rejects(deviceDelete(refusing.monitor, 'disk-1'), QmpError);
  });

  void test('leave no block node behind when one of several fails', async () => {
    const { monitor, commands } = await fakeQemu((command, args) => {
      const isBad = command === 'blockdev-add' && JSON.stringify(args).includes('c');
      return isBad ? { error: { class: 'GenericError', desc: 'no' } } : ok;
    });
    const nodes = ['a', 'b', 'c'].map((name) => ({ driver: 'x', 'node-name': name }));
    await assert.rejects(blockdevAddAll(monitor, nodes), QmpError);
    assert.deepEqual(
      commands.filter(({ execute }) => execute === 'blockdev-del').map((command) => command.arguments),
      [{ 'node-name': 'b' }, { 'node-name': 'a' }],
    );
  });

  void test('name block devices by their qdev id, whatever path they report', async () => {
    const { monitor } = await fakeQemu(() => ({
      return: [
        { device: '', qdev: 'disk-1', 'io-status': 'nospace', inserted: { 'node-name': 'node-disk-1' } },
        { device: '', qdev: '/machine/peripheral/disk-2/virtio-backend', tray_open: true, locked: true },
      ],
    }));
    assert.deepEqual(await queryBlock(monitor), [
      { id: 'disk-1', node: 'node-disk-1', isTrayOpen: false, isLocked: false, ioStatus: 'nospace' },
      { id: 'disk-2', isTrayOpen: true, isLocked: true, ioStatus: undefined },
    ]);
  });

  void test('fill processor slots in order, as many as are missing', async () => {
    const slot = (socket: number, isFull: boolean) => ({
      type: 'qemu64-x86_64-cpu',
      props: { 'socket-id': socket, 'core-id': 0, 'thread-id': 0 },
      ...(isFull ? { 'qom-path': '/x' } : {}),
    });
    const { monitor, commands } = await fakeQemu((command) =>
      command === 'query-hotpluggable-cpus'
        ? { return: [slot(3, false), slot(2, false), slot(1, false), slot(0, true)] }
        : ok,
    );
    await plugCpus(monitor, 3);
    const added = commands.filter(({ execute }) => execute === 'device_add').map((command) => command.arguments);
    assert.deepEqual(added, [
      { driver: 'qemu64-x86_64-cpu', id: 'cpu-socket1-core0-thread0', 'socket-id': 1, 'core-id': 0, 'thread-id': 0 },
      { driver: 'qemu64-x86_64-cpu', id: 'cpu-socket2-core0-thread0', 'socket-id': 2, 'core-id': 0, 'thread-id': 0 },
    ]);
    await assert.rejects(plugCpus(monitor, 5), RangeError);
  });

  void test('leave out of the guest memory what the guest does not know', async () => {
    const stats = { 'stat-total-memory': 1000, 'stat-free-memory': 2 ** 64, 'stat-swap-in': -1 };
    const { monitor } = await fakeQemu(() => ({ return: { 'last-update': 5, stats } }));
    const memory = await queryGuestMemory(monitor);
    assert.equal(memory.reportedAt, 5);
    assert.equal(memory.totalBytes, 1000);
    assert.equal(memory.freeBytes, undefined);
    assert.equal(memory.swappedInBytes, undefined);
  });

  void test('know that most nics cannot tell their filters', async () => {
    const { monitor } = await fakeQemu(() => ({ error: { class: 'GenericError', desc: "doesn't support" } }));
    assert.equal(await queryRxFilter(monitor, 'nic-4000'), undefined);
  });

  void test('type keys with their modifiers, or none at all', async () => {
    const { monitor, commands } = await fakeQemu();
    await sendKeys(monitor, [{ usage: 4, modifiers: ['leftShift', 'rightAlt'] }]);
    assert.deepEqual(commands[0]?.arguments, {
      keys: ['shift', 'alt_r', 'a'].map((data) => ({ type: 'qcode', data })),
      'hold-time': 20,
    });
    await assert.rejects(
      sendKeys(monitor, [
        { usage: 4, modifiers: [] },
        { usage: 999, modifiers: [] },
      ]),
      RangeError,
    );
    assert.equal(commands.length, 1);
    assert.deepEqual(strokeKeys({ usage: 0x28, modifiers: [] }), ['ret']);
  });

  void test('say why a state could not be saved', async () => {
    const qemu = await fakeQemu((command) => {
      if (command === 'migrate') setImmediate(() => qemu.emit('MIGRATION', { status: 'failed' }));
      return command === 'query-migrate' ? { return: { status: 'failed', 'error-desc': 'No space left' } } : ok;
    });
    await assert.rejects(saveState(qemu.monitor, '/vm/x'), /No space left/);
    assert.equal(qemu.commands[0]?.execute, 'stop');
  });

  void test('cancel a save that the caller gives up', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const qemu = await fakeQemu((command) => {
      if (command === 'migrate') setImmediate(() => controller.abort(reason));
      if (command === 'migrate_cancel') setImmediate(() => qemu.emit('MIGRATION', { status: 'cancelled' }));
      return ok;
    });
    await assert.rejects(saveState(qemu.monitor, '/vm/x', { signal: controller.signal }), reason);
    assert.ok(qemu.commands.some(({ execute }) => execute === 'migrate_cancel'));
  });
});

void suite('events', () => {
  const read = (event: string, data: Record<string, unknown>) =>
    readEvent({ kind: 'event', event, data, timestampMs: 0 });

  void test('are read into claims', () => {
    assert.deepEqual(read('SHUTDOWN', { guest: true, reason: 'guest-shutdown' }), {
      ...{ kind: 'shutdown', byGuest: true, reason: 'guest-shutdown' },
    });
    const error = { 'qom-path': '/machine/peripheral/disk-2000', operation: 'write', action: 'stop', nospace: true };
    assert.deepEqual(read('BLOCK_IO_ERROR', { ...error, reason: 'No space left on device' }), {
      ...{ kind: 'blockIoError', device: 'disk-2000', operation: 'write', action: 'stop', noSpace: true },
      reason: 'No space left on device',
    });
    assert.deepEqual(read('VSERPORT_CHANGE', { id: 'agent-channel', open: true }), {
      ...{ kind: 'channel', device: 'agent-channel', isOpen: true },
    });
    assert.equal(read('RTC_CHANGE', {}), undefined);
  });

  void test('of wrong types do no harm', () => {
    for (const event of [
      'SHUTDOWN',
      'BLOCK_IO_ERROR',
      'DEVICE_DELETED',
      'DEVICE_TRAY_MOVED',
      'VSERPORT_CHANGE',
      'MIGRATION',
    ]) {
      assert.ok(read(event, { reason: {}, guest: 'yes', device: 7, 'qom-path': null, open: [], status: 1 }));
    }
  });
});
