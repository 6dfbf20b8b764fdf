// vCenter is killed in the middle of random operations, again and again. The hosts live on. What was acknowledged is there, what
// was not is either there as a whole or not at all. The kill is played: the store's files are taken as they are at that moment,
// the old vCenter can do nothing any more, and a new one starts on the copy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { type MoRef, make } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { type TestCenter, testCenter } from '../testing/test-center.ts';

const OPERATIONS = Number(process.env['VIVARIUM_KILLS'] ?? 200);
/** A kill comes this many turns of the event loop after the beginning of an operation, at most. */
const MOST_TURNS = 25;
/** One operation of so many is killed. */
const KILLED_EVERY = 4;

/** Names of folders, pools and VMs with where they are: all that the operations change. */
interface Picture {
  readonly folders: Readonly<Record<string, string>>;
  readonly pools: Readonly<Record<string, string>>;
  readonly vms: Readonly<Record<string, { readonly folder: string; readonly pool: string; readonly power: string }>>;
}

interface World {
  center: TestCenter;
  readonly hosts: readonly FakeHost[];
}

interface Operation {
  readonly text: string;
  run(center: TestCenter): Promise<unknown>;
  after(before: Picture): Picture;
}

function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

void test('what was acknowledged survives every kill, and nothing is half there', async (context) => {
  const seed = Number(process.env['VIVARIUM_SEED'] ?? Date.now() % 2 ** 31);
  context.diagnostic(`seed ${seed} (VIVARIUM_SEED=${seed} repeats it)`);
  const random = seeded(seed);
  const center = await testCenter(context);
  const { cluster } = await center.cluster();
  const shared = { datastores: { shared: 'ds:///vmfs/volumes/shared/' } };
  const hosts = [new FakeHost('esx1', shared), new FakeHost('esx2', shared)];
  for (const host of hosts) await center.addHost(cluster as MoRef, host);
  const world: World = { center, hosts };
  let picture = look(world);
  let kills = 0;
  for (let count = 0; count < OPERATIONS; count++) {
    const operation = draw(picture, random, count);
    const running = operation.run(world.center).then(
      () => 'done' as const,
      (error: unknown) => error,
    );
    if (random(KILLED_EVERY) > 0) {
      assert.equal(await running, 'done', `${operation.text} (seed ${seed})`);
      picture = operation.after(picture);
      assert.deepEqual(look(world), picture, `${operation.text} (seed ${seed})`);
      continue;
    }
    kills += 1;
    let outcome: unknown;
    void running.then((result) => (outcome = result));
    for (let turn = random(MOST_TURNS); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    const isAcknowledged = outcome === 'done';
    for (const host of hosts) host.sever();
    world.center = await world.center.killed();
    await connected(world.center);
    const found = look(world);
    const wanted = operation.after(picture);
    const isThere = JSON.stringify(found) === JSON.stringify(wanted);
    const what = `${operation.text}, killed${isAcknowledged ? ' when it was acknowledged' : ''} (seed ${seed})`;
    if (isAcknowledged || isThere) assert.deepEqual(found, wanted, what);
    else assert.deepEqual(found, picture, what);
    picture = found;
    const onHosts = hosts.flatMap((host) => [...host.vms.values()].map(({ name }) => name)).sort();
    assert.deepEqual(Object.keys(picture.vms).sort(), onHosts, what);
  }
  context.diagnostic(`${OPERATIONS} operations, ${kills} kills`);
});

async function connected(center: TestCenter): Promise<void> {
  const { hosts, inventory } = center.center;
  for (const [host] of [...inventory.ofType('HostSystem')]) await hosts.open(host).whenConnected();
}

function vmFolder(center: TestCenter): MoRef {
  const [datacenter] = [...center.service.graph.ofType('Datacenter')];
  return datacenter?.get('vmFolder') as MoRef;
}

function rootPool(center: TestCenter): MoRef {
  const [cluster] = [...center.service.graph.ofType('ClusterComputeResource')];
  return cluster?.get('resourcePool') as MoRef;
}

/** An entity below `root` by its name; the root itself for ''. */
function named(center: TestCenter, type: 'Folder' | 'ResourcePool' | 'VirtualMachine', name: string): MoRef {
  if (name === '') return type === 'ResourcePool' ? rootPool(center) : vmFolder(center);
  const found = [...center.service.graph.ofType(type)].find((object) => object.getPath('name') === name);
  if (!found) throw new Error(`there is no ${type} ${name}`);
  return found.ref as MoRef;
}

function look({ center }: World): Picture {
  const nameOf = (ref: MoRef, root: MoRef) => (ref.value === root.value ? '' : center.read<string>(ref, 'name'));
  const folderRoot = vmFolder(center);
  const poolRoot = rootPool(center);
  const folders: Record<string, string> = {};
  const pools: Record<string, string> = {};
  const vms: Record<string, { folder: string; pool: string; power: string }> = {};
  for (const { ref } of center.service.graph.ofType('Folder')) {
    const name = center.read<string>(ref as MoRef, 'name');
    if (/^f\d/.test(name)) folders[name] = nameOf(center.read<MoRef>(ref as MoRef, 'parent'), folderRoot);
  }
  for (const { ref } of center.service.graph.ofType('ResourcePool')) {
    const name = center.read<string>(ref as MoRef, 'name');
    if (/^p\d/.test(name)) pools[name] = nameOf(center.read<MoRef>(ref as MoRef, 'parent'), poolRoot);
  }
  for (const { ref } of center.service.graph.ofType('VirtualMachine')) {
    vms[center.read<string>(ref as MoRef, 'name')] = {
      folder: nameOf(center.read<MoRef>(ref as MoRef, 'parent'), folderRoot),
      pool: nameOf(center.read<MoRef>(ref as MoRef, 'resourcePool'), poolRoot),
      power: center.read<string>(ref as MoRef, 'runtime.powerState'),
    };
  }
  return { folders: sorted(folders), pools: sorted(pools), vms: sorted(vms) };
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** A random operation that is possible now. */
function draw(picture: Picture, random: (below: number) => number, count: number): Operation {
  const pick = <T>(items: readonly T[]): T | undefined => items[random(items.length)];
  const folder = pick(['', ...Object.keys(picture.folders)]) ?? '';
  const pool = pick(['', ...Object.keys(picture.pools)]) ?? '';
  const vm = pick(Object.keys(picture.vms));
  const kinds = [
    () => createFolder(`f${count}`, folder),
    () => createPool(`p${count}`, Object.keys(picture.pools).length < 6 ? pool : ''),
    () => createVm(`v${count}`, folder, pool),
    () => createVm(`v${count}`, folder, pool),
    () => (vm === undefined ? undefined : power(vm, picture.vms[vm]?.power === 'poweredOn' ? 'Off' : 'On')),
    () => (vm === undefined ? undefined : renameVm(vm, `v${count}`)),
    () => (vm === undefined ? undefined : moveVm(vm, folder)),
    () => (vm === undefined ? undefined : moveToPool(vm, pool)),
    () => (vm === undefined || picture.vms[vm]?.power === 'poweredOn' ? undefined : destroyVm(vm)),
  ];
  for (;;) {
    const operation = kinds[random(kinds.length)]?.();
    if (operation) return operation;
  }
}

function createFolder(name: string, parent: string): Operation {
  return {
    text: `create folder ${name} in '${parent}'`,
    run: (center) => center.invoke(named(center, 'Folder', parent), 'CreateFolder', { name }),
    after: (before) => ({ ...before, folders: sorted({ ...before.folders, [name]: parent }) }),
  };
}

function createPool(name: string, parent: string): Operation {
  const spec = make('ResourceConfigSpec', {
    cpuAllocation: normalPoolAllocation('cpu'),
    memoryAllocation: normalPoolAllocation('memory'),
  });
  return {
    text: `create pool ${name} in '${parent}'`,
    run: (center) => center.invoke(named(center, 'ResourcePool', parent), 'CreateResourcePool', { name, spec }),
    after: (before) => ({ ...before, pools: sorted({ ...before.pools, [name]: parent }) }),
  };
}

function createVm(name: string, folder: string, pool: string): Operation {
  const files = make('VirtualMachineFileInfo', { vmPathName: '[shared]' });
  const config = make('VirtualMachineConfigSpec', { name, guestId: 'otherGuest', files });
  return {
    text: `create ${name} in '${folder}', pool '${pool}'`,
    run: (center) =>
      center.task(named(center, 'Folder', folder), 'CreateVM_Task', {
        config,
        pool: named(center, 'ResourcePool', pool),
      }),
    after: (before) => ({ ...before, vms: sorted({ ...before.vms, [name]: { folder, pool, power: 'poweredOff' } }) }),
  };
}

function change(before: Picture, vm: string, changes: object): Picture {
  const now = before.vms[vm];
  return now ? { ...before, vms: sorted({ ...before.vms, [vm]: { ...now, ...changes } }) } : before;
}

function power(vm: string, state: 'On' | 'Off'): Operation {
  return {
    text: `power ${vm} ${state}`,
    run: (center) => center.task(named(center, 'VirtualMachine', vm), `Power${state}VM_Task`),
    after: (before) => change(before, vm, { power: `powered${state}` }),
  };
}

function renameVm(vm: string, newName: string): Operation {
  return {
    text: `rename ${vm} to ${newName}`,
    run: (center) => center.task(named(center, 'VirtualMachine', vm), 'Rename_Task', { newName }),
    after: (before) => {
      const { [vm]: renamed, ...rest } = before.vms;
      return renamed ? { ...before, vms: sorted({ ...rest, [newName]: renamed }) } : before;
    },
  };
}

function moveVm(vm: string, folder: string): Operation {
  return {
    text: `move ${vm} to '${folder}'`,
    run: (center) =>
      center.task(named(center, 'Folder', folder), 'MoveIntoFolder_Task', {
        list: [named(center, 'VirtualMachine', vm)],
      }),
    after: (before) => change(before, vm, { folder }),
  };
}

function moveToPool(vm: string, pool: string): Operation {
  return {
    text: `move ${vm} to pool '${pool}'`,
    run: (center) =>
      center.invoke(named(center, 'ResourcePool', pool), 'MoveIntoResourcePool', {
        list: [named(center, 'VirtualMachine', vm)],
      }),
    after: (before) => change(before, vm, { pool }),
  };
}

function destroyVm(vm: string): Operation {
  return {
    text: `destroy ${vm}`,
    run: (center) => center.task(named(center, 'VirtualMachine', vm), 'Destroy_Task'),
    after: (before) => {
      const { [vm]: _gone, ...vms } = before.vms;
      return { ...before, vms };
    },
  };
}
