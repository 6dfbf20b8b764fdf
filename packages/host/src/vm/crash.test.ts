// hostd is killed before every single step of an operation (write, rename, store batch, machine command). Whatever the step,
// the next hostd finds the host as it was before the operation, or as it is after it, and nothing in between.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { countFileSteps, Life } from '../testing/life.ts';
import { asUser, diskChange, type TestHost, testHost, vmSpec } from '../testing/test-host.ts';
import { turns } from '../testing/virtual-clock.ts';
import { findSuspendState } from './suspend-state.ts';
import type { Vm } from './vm.ts';

let counting: AsyncDisposable;
before(async () => {
  counting = await countFileSteps();
});
after(() => counting[Symbol.asyncDispose]());

interface Scenario {
  /** Brings the host to where the operation starts, from wherever the last round ended. */
  prepare(host: TestHost): Promise<void>;
  operation(host: TestHost): Promise<unknown>;
  /** Files of the datastore that are no registered VM's and are to stay. */
  isStranger?(path: string): boolean;
  /** What must be true after the restart. `isDone`: the operation was acknowledged. */
  check(host: TestHost, isDone: boolean): Promise<void>;
}

/** More steps than any operation has: a safeguard. */
const MOST_STEPS = 150;

async function killAtEveryStep(t: TestContext, scenario: Scenario): Promise<void> {
  let host = await testHost(t);
  let lastSteps: readonly string[] = [];
  for (let count = 1; count <= MOST_STEPS; count++) {
    const life = new Life();
    host = await host.restart({ life });
    await life.run(() => scenario.prepare(host));
    const begin = life.steps.length;
    life.killAtStep(count);
    const outcome = await life
      .run(() => scenario.operation(host))
      .then(
        () => true,
        () => false,
      );
    const wasKilled = life.isDead;
    lastSteps = life.steps.slice(begin);
    const where = `killed at step ${count}: ${lastSteps.at(-1)}`;
    // Every few rounds the next hostd is killed while it cleans up, too.
    if (count % 3 === 0) host = await host.restart({ life: new Life((count % 7) + 1) });
    host = await host.restart();
    try {
      await checkEverything(host, scenario.isStranger ?? (() => false));
      await scenario.check(host, outcome);
    } catch (error) {
      throw new Error(where, { cause: error });
    }
    if (!wasKilled) {
      assert.ok(outcome, 'without a kill the operation succeeds');
      t.diagnostic(`${lastSteps.length} steps`);
      return;
    }
  }
  assert.fail(`still not done after ${MOST_STEPS} steps: ${lastSteps.slice(-5).join('; ')}`);
}

/** True at any time after a start: what is listed is whole, what is not listed is not there. */
async function checkEverything(host: TestHost, isStranger: (path: string) => boolean): Promise<void> {
  assert.deepEqual([...host.broken], []);
  assert.deepEqual(host.store.range('vm-intent/'), [], 'nothing is left to be settled');
  const named = new Set<string>();
  for (const vm of host.registry.all) {
    named.add(host.host.paths.format(vm.vmxFile));
    for (const device of vm.config.hardware.device ?? []) {
      const { backing } = device;
      if (device._typeName !== 'VirtualDisk' || !backing || !('fileName' in backing)) continue;
      for (const file of await host.disks.files(String(backing.fileName))) named.add(host.host.paths.format(file));
      await host.disks.open(String(backing.fileName));
    }
    const saved = findSuspendState(vm.config);
    const machine = host.vmms.machines.get(vm.id);
    assert.equal(vm.power === 'suspended', saved !== undefined);
    assert.equal(vm.power === 'poweredOn', machine !== undefined);
    if (saved) named.add(host.host.paths.format(join(vm.folder, saved)));
    if (machine) assert.equal(machine.state, 'running');
    // Nothing is left unplugged of a VM whose power-on was finished by the next hostd, nor plugged in when it is off.
    for (const { connectable } of vm.config.hardware.device ?? []) {
      if (connectable) assert.equal(connectable.connected, vm.power !== 'poweredOff' && connectable.startConnected);
    }
    assert.deepEqual(host.network.ports().length > 0, vm.power === 'poweredOn');
  }
  const files = (await host.files()).filter((path) => !path.endsWith('/') && !isStranger(path));
  const expected = [...named].map((path) => path.replace('[datastore1] ', '')).filter((path) => !isStranger(path));
  assert.deepEqual(files, expected.toSorted());
  const inhabited = new Set((await host.files()).flatMap((path) => (path.endsWith('/') ? [] : [`${dirname(path)}/`])));
  const folders = (await host.files()).filter((path) => path.endsWith('/'));
  assert.deepEqual(
    folders.filter((folder) => !inhabited.has(folder)),
    [],
    'no empty folder stays',
  );
}

const only = (host: TestHost): Vm => {
  const [vm] = host.registry.all;
  assert.ok(vm);
  return vm;
};

async function removeAll(host: TestHost): Promise<void> {
  for (const vm of host.registry.all) {
    if (vm.power !== 'poweredOff') await vm.powerOff(asUser());
    await host.registry.destroy(asUser(), vm);
  }
}

async function freshVm(host: TestHost): Promise<void> {
  await removeAll(host);
  await host.create();
}

void test('CreateVM makes a whole VM or nothing', (t) =>
  killAtEveryStep(t, {
    prepare: removeAll,
    operation: (host) =>
      host.create({ ...vmSpec(), deviceChange: [...(vmSpec().deviceChange ?? []), diskChange(-9, -1, 8)] }),
    async check(host, isDone) {
      assert.ok(host.registry.all.length === 1 || !isDone);
      for (const vm of host.registry.all)
        assert.equal(vm.config.hardware.device?.filter((d) => d._typeName === 'VirtualDisk').length, 2);
    },
  }));

void test('ReconfigVM with new disks changes everything or nothing', (t) =>
  killAtEveryStep(t, {
    prepare: freshVm,
    operation: (host) =>
      only(host).reconfigure(asUser(), {
        annotation: 'changed',
        deviceChange: [diskChange(-9, 1000, 8), diskChange(-10, 1000, 8)],
      }),
    async check(host, isDone) {
      const { annotation, hardware } = only(host).config;
      const disks = hardware.device?.filter((device) => device._typeName === 'VirtualDisk').length;
      assert.deepEqual([annotation, disks], isDone || annotation === 'changed' ? ['changed', 3] : ['', 1]);
    },
  }));

void test('ReconfigVM of a running VM changes its VMX and its machine, or neither stays', (t) =>
  killAtEveryStep(t, {
    async prepare(host) {
      await freshVm(host);
      await only(host).powerOn(asUser());
    },
    operation: (host) => only(host).reconfigure(asUser(), { deviceChange: [diskChange(-9, 1000, 8)] }),
    async check(host, isDone) {
      const vm = only(host);
      const disks = vm.config.hardware.device?.filter((device) => device._typeName === 'VirtualDisk').length;
      assert.ok(disks === 2 || (!isDone && disks === 1));
      assert.equal(vm.power, 'poweredOn');
    },
  }));

void test('a disk that leaves a VM and is destroyed is there and named, or neither', (t) =>
  killAtEveryStep(t, {
    prepare: freshVm,
    operation: (host) =>
      only(host).reconfigure(asUser(), {
        deviceChange: [
          {
            operation: 'remove',
            fileOperation: 'destroy',
            device: { _typeName: 'VirtualDisk', key: 2000, capacityInKB: 0 },
          } as never,
        ],
      }),
    async check(host, isDone) {
      const disks = only(host).config.hardware.device?.filter((device) => device._typeName === 'VirtualDisk').length;
      assert.ok(disks === 0 || (!isDone && disks === 1));
    },
  }));

void test('Destroy removes a VM with its files, and nothing else', (t) =>
  killAtEveryStep(t, {
    isStranger: (path) => path === 'web/foreign notes.txt',
    async prepare(host) {
      await removeAll(host);
      await rm(join(host.root, 'web'), { recursive: true, force: true });
      await host.create();
      await writeFile(join(only(host).folder, 'foreign notes.txt'), 'mine');
    },
    operation: (host) => host.registry.destroy(asUser(), only(host)),
    async check(host, isDone) {
      assert.ok(host.registry.all.length === 0 || !isDone);
      assert.equal(await readFile(join(host.root, 'web/foreign notes.txt'), 'utf8'), 'mine');
    },
  }));

void test('RegisterVM lists a VM or leaves it lying, with every file', async (t) => {
  let files: string[] = [];
  await killAtEveryStep(t, {
    // While it is not registered its files are nobody's.
    isStranger: (path) => path.startsWith('web/'),
    async prepare(host) {
      if (host.registry.all.length === 0) await host.create();
      files = await host.files();
      await host.registry.unregister(asUser(), only(host));
    },
    operation: (host) => host.registry.register(asUser(), '[datastore1] web/web.vmx', undefined),
    async check(host, isDone) {
      assert.ok(host.registry.all.length === 1 || !isDone);
      assert.deepEqual(
        (await host.files()).filter((path) => !path.endsWith('.new')),
        files,
      );
      if (host.registry.all.length === 0) await host.registry.register(asUser(), '[datastore1] web/web.vmx', 'web');
    },
  });
});

void test('PowerOn ends with a machine that runs, or without one', (t) =>
  killAtEveryStep(t, {
    prepare: freshVm,
    operation: (host) => only(host).powerOn(asUser()),
    async check(host, isDone) {
      assert.ok(only(host).power === 'poweredOn' || !isDone);
    },
  }));

void test('PowerOn is finished with everything plugged in that starts connected, also when that was not written down yet', async (t) => {
  const first = await testHost(t);
  await freshVm(first);
  const { id, vmxFile } = only(first);
  const before = await readFile(vmxFile);
  await only(first).powerOn(asUser());
  first.vmms.machine(id).state = 'prelaunch';
  await writeFile(vmxFile, before);
  const host = await first.restart();
  await checkEverything(host, () => false);
  assert.equal(only(host).power, 'poweredOn');
});

void test('PowerOff is never half done', (t) =>
  killAtEveryStep(t, {
    async prepare(host) {
      await freshVm(host);
      await only(host).powerOn(asUser());
    },
    operation: (host) => only(host).powerOff(asUser()),
    async check(host, isDone) {
      assert.ok(only(host).power === 'poweredOff' || !isDone);
    },
  }));

void test('what a guest has in memory survives every kill during suspend, once', async (t) => {
  let memory = '';
  await killAtEveryStep(t, {
    async prepare(host) {
      await freshVm(host);
      await only(host).powerOn(asUser());
      memory = host.vmms.machine(only(host).id).memory;
    },
    operation: (host) => only(host).suspend(asUser()),
    async check(host, isDone) {
      const vm = only(host);
      assert.ok(vm.power === 'suspended' || (!isDone && vm.power === 'poweredOn'), vm.power);
      if (vm.power === 'suspended') await vm.powerOn(asUser());
      assert.equal(host.vmms.machine(vm.id).memory, memory);
    },
  });
});

void test('what a suspended guest had in memory survives every kill during resume, once', async (t) => {
  let memory = '';
  await killAtEveryStep(t, {
    async prepare(host) {
      await freshVm(host);
      await only(host).powerOn(asUser());
      memory = host.vmms.machine(only(host).id).memory;
      await only(host).suspend(asUser());
    },
    operation: (host) => only(host).powerOn(asUser()),
    async check(host, isDone) {
      const vm = only(host);
      assert.ok(vm.power === 'poweredOn' || (!isDone && vm.power === 'suspended'), vm.power);
      if (vm.power === 'suspended') await vm.powerOn(asUser());
      await turns();
      assert.equal(host.vmms.machine(vm.id).memory, memory);
    },
  });
});
