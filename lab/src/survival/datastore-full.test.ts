// A datastore without room: creations are refused and leave nothing, running guests wait with a question and lose nothing.
import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { VimClient } from '@vivarium/client';
import type { VirtualDeviceConfigSpec, VirtualMachineQuestionInfo } from '@vivarium/vim';
import { faultName, vmEvents } from '../testing/events.ts';
import {
  added,
  createGuestVm,
  createVm,
  destroy,
  disk,
  findVm,
  guestAddress,
  guestShell,
  guestUptime,
  listVms,
  powerOff,
  powerOn,
  powerState,
  reconfigure,
  runInGuest,
  scsiController,
  suspend,
  type VmRef,
} from '../testing/lab-vm.ts';
import { mountSmallDatastore, type SmallDatastore } from '../testing/small-datastore.ts';
import { needsRoot, useLabHost } from '../testing/use-lab-host.ts';
import { waitFor } from '../testing/wait-for.ts';
import { assertWhole } from './wholeness.ts';

const NO_ROOM = /NoDiskSpace|InsufficientStorageSpace|InsufficientDisks/;
const PATTERN_BYTES = 40 << 20;
/** Room for the pattern twice: in a file, and on its way to the disk. */
const GUEST_MB = 320;
/** The disk at SCSI target 1, in the guest's shell: Linux gives the names sda and sdb in the order in which the disks answer. */
const DISK = '/dev/$(ls /sys/bus/scsi/devices/*:0:1:0/block)';

/** The same disk with all of its room taken at once. */
function thick(spec: VirtualDeviceConfigSpec): VirtualDeviceConfigSpec {
  const backing = { ...spec.device.backing, thinProvisioned: false, eagerlyScrub: true };
  return { ...spec, device: { ...spec.device, backing } };
}

describe('a full datastore', { skip: needsRoot }, () => {
  const lab = useLabHost();
  let small: SmallDatastore;

  before(async () => {
    small = await mountSmallDatastore(16);
    await using client = await lab().connect();
    await small.offer(client, 'small');
  });
  after(async () => {
    await small?.[Symbol.asyncDispose]();
  });

  const files = async () => (await readdir(small.root, { recursive: true })).filter((name) => !/^\.viv/.test(name));

  const question = (client: VimClient, vm: VmRef): Promise<VirtualMachineQuestionInfo> =>
    waitFor(`a question of ${vm.value}`, async () => (await client.get(vm, 'runtime'))?.question, 60_000);

  test('a VM that does not fit is refused, and nothing of it stays', async () => {
    await using client = await lab().connect();
    const deviceChange = [
      added(scsiController()),
      disk({ sizeMB: 8, datastore: 'small' }),
      thick(disk({ sizeMB: 64, datastore: 'small' }, 1)),
    ];
    assert.match(await faultName(createVm(client, 'large', { datastore: 'small', spec: { deviceChange } })), NO_ROOM);
    assert.equal((await listVms(client)).has('large'), false);
    assert.deepEqual(await files(), []);
  });

  test('a disk that does not fit is refused, and the VM stays as it was', async () => {
    await using client = await lab().connect();
    const vm = await createVm(client, 'modest', {
      datastore: 'small',
      spec: { deviceChange: [added(scsiController())] },
    });
    const before = await files();
    const deviceChange = [thick(disk({ sizeMB: 64, datastore: 'small' }, 0, 1000))];
    assert.match(await faultName(reconfigure(client, vm, { annotation: 'lost', deviceChange })), NO_ROOM);
    assert.notEqual((await client.get(vm, 'config'))?.annotation, 'lost');
    assert.deepEqual(await files(), before);
    await destroy(client, vm);
    assert.deepEqual(await files(), []);
  });

  test('an upload that does not fit is refused, and nothing of it stays', async () => {
    await using client = await lab().connect();
    const place = { datacenter: 'ha-datacenter', datastore: 'small', path: 'large.iso' };
    const length = 32 << 20;
    const content = Readable.from(
      (function* () {
        for (let sent = 0; sent < length; sent += 1 << 20) yield Buffer.alloc(1 << 20, 1);
      })(),
    );
    await assert.rejects(client.upload(place, content, length));
    await waitFor('the half upload to be gone', async () =>
      (await readdir(small.root)).every((name) => name === '.viv-datastore.json'),
    );
  });

  test('a guest is not lost when there is no room for its suspension', async () => {
    await using client = await lab().connect();
    const vm = await createVm(client, 'restless', { datastore: 'small', memoryMB: 64 });
    await powerOn(client, vm);
    await small.resize(1);
    await writeFile(join(small.root, 'ballast'), Buffer.alloc(2 << 20)).catch(() => undefined);
    const before = await files();
    assert.match(await faultName(suspend(client, vm)), NO_ROOM);
    assert.equal(await powerState(client, vm), 'poweredOn');
    assert.deepEqual(await files(), before);
    await rm(join(small.root, 'ballast'));
    await small.resize(16);
    await suspend(client, vm);
    await powerOff(client, vm);
    await destroy(client, vm);
    assert.deepEqual(await files(), []);
    await assertWhole(lab(), client);
  });

  test('a guest that fills it waits with a question, goes on when there is room, and loses nothing', async () => {
    const host = lab();
    let address = '';
    let sum = '';
    {
      await using client = await host.connect();
      const vm = await createGuestVm(client, 'filler', {
        memoryMB: GUEST_MB,
        devices: [disk({ sizeMB: 64, datastore: 'small' }, 1)],
      });
      await powerOn(client, vm);
      address = await guestAddress(client, vm);
      await guestShell(address);
      const make = `head -c ${PATTERN_BYTES} /dev/urandom >/run/pattern && sha256sum </run/pattern`;
      sum = await runInGuest(address, make);
      // It begins when the answer is out: a guest that waits answers nobody.
      const write = `sleep 1; dd if=/run/pattern of=${DISK} bs=1M conv=fsync; echo $? >/run/result`;
      await runInGuest(address, `(${write}) >/run/dd 2>&1 </dev/null &`);
      const asked = await question(client, vm);
      assert.match(asked.text, /space/);
      assert.equal(await client.get(vm, 'overallStatus'), 'red');
      assert.equal(await powerState(client, vm), 'poweredOn');
      const events = await vmEvents(client, vm);
      assert.ok(
        events.some(
          ({ _typeName, fullFormattedMessage }) =>
            _typeName === 'VmMessageEvent' && /space/.test(fullFormattedMessage ?? ''),
        ),
      );
      assert.equal(
        await faultName(client.call(vm, 'AnswerVM', { questionId: asked.id, answerChoice: '7' })),
        'InvalidArgument',
      );
      // No more room than before: the same question again.
      await client.call(vm, 'AnswerVM', { questionId: asked.id, answerChoice: '0' });
      const again = await question(client, vm);
      assert.notEqual(again.id, asked.id);
      await small.resize(24);
      await client.call(vm, 'AnswerVM', { questionId: again.id, answerChoice: '0' }).catch((error: unknown) => {
        // It may have gone on, and asked anew, by itself.
        if (!/questionId|InvalidArgument/.test(String(error))) throw error;
      });
      await waitFor('the next question', async () => {
        const next = (await client.get(vm, 'runtime'))?.question;
        return next !== undefined && next.id !== again.id;
      });
    }
    // A hostd that comes while the guest waits asks as well.
    await host.killHostd();
    await host.startHostd();
    await using client = await host.connect();
    const vm = await findVm(client, 'filler');
    await question(client, vm);
    await small.resize(96);
    // Nobody answers.
    await waitFor(
      'the guest to go on by itself',
      async () => (await client.get(vm, 'runtime'))?.question === undefined,
    );
    assert.equal(await client.get(vm, 'overallStatus'), 'green');
    const result = await waitFor('the guest to have written', async () =>
      (await runInGuest(address, 'cat /run/result 2>/dev/null || true').catch(() => '')).trim(),
    );
    assert.equal(result, '0');
    const read = `echo 3 >/proc/sys/vm/drop_caches; head -c ${PATTERN_BYTES} ${DISK} | sha256sum`;
    assert.equal(await runInGuest(address, read), sum);
    assert.match(await runInGuest(address, 'dmesg'), /^(?!.*I\/O error)/s);
    assert.ok((await guestUptime(address)) > 0);
    await powerOff(client, vm);
    await destroy(client, vm);
    assert.deepEqual(await files(), []);
  });

  test('a waiting guest is powered off when the answer is Cancel', async () => {
    await using client = await lab().connect();
    await small.resize(8);
    const vm = await createGuestVm(client, 'given-up', {
      memoryMB: GUEST_MB,
      devices: [disk({ sizeMB: 64, datastore: 'small' }, 1)],
    });
    await powerOn(client, vm);
    const address = await guestAddress(client, vm);
    await guestShell(address);
    await runInGuest(
      address,
      `(sleep 1; head -c ${PATTERN_BYTES} /dev/urandom | dd of=${DISK} bs=1M conv=fsync) >/dev/null 2>&1 </dev/null &`,
    );
    const asked = await question(client, vm);
    await client.call(vm, 'AnswerVM', { questionId: asked.id, answerChoice: '1' });
    await waitFor('the VM to be off', async () => (await powerState(client, vm)) === 'poweredOff');
    assert.equal((await client.get(vm, 'runtime'))?.question, undefined);
    await destroy(client, vm);
    assert.deepEqual(await files(), []);
  });
});
