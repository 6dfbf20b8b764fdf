// What govc has saved of a vCenter comes back by `viv sim -load`: of a simulator of ours, with everything that it can have, and of vcsim.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSim } from '@vivarium/sim';
import { startSimulator } from '../bench/simulator/start-simulator.ts';
import { buildVcsim } from '../bench/simulator/vcsim.ts';
import { type Govc, lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { startLabSim } from '../testing/lab-sim.ts';
import { SIM_PASSWORD, SIM_USER } from '../testing/use-lab-sim.ts';

const RICH = [
  '-dc',
  '2',
  '-cluster',
  '2',
  '-host',
  '2',
  '-pool',
  '1',
  '-app',
  '1',
  '-folder',
  '1',
  '-pod',
  '1',
  '-pg',
  '2',
  '-vm',
  '1',
  '-ds',
  '2',
];

const start = (...flags: string[]) => startLabSim(startSim, { userName: SIM_USER, password: SIM_PASSWORD }, flags);

async function freshFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vivload-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const paths = async (govc: Govc) => lines(await govc('find', '/')).sort();
/** Every entity by its path, and by its reference. */
const everything = async (govc: Govc) => [...(await paths(govc)), ...lines(await govc('find', '-i', '/')).sort()];

interface Vm {
  readonly self: { readonly value: string };
  readonly config: Record<string, unknown> & {
    readonly hardware: Record<string, unknown> & { readonly device: readonly Record<string, unknown>[] };
  };
  readonly guest: { readonly ipAddress?: string; readonly hostName?: string };
  readonly runtime: { readonly powerState: string; readonly host: { readonly value: string } };
  readonly resourcePool?: { readonly value: string };
  readonly summary: { readonly customValue?: unknown };
}

/** What a VM is, without what every start makes anew. */
async function vms(govc: Govc) {
  const all = await govc.json<{ virtualMachines: Vm[] }>(
    'vm.info',
    '-r',
    ...lines(await govc('find', '/', '-type', 'm')),
  );
  return all.virtualMachines
    .map(({ self, config, guest, runtime, resourcePool }) => {
      const { name, uuid, instanceUuid, guestId, annotation, template, files, cpuAllocation, memoryAllocation } =
        config;
      const { numCPU, memoryMB, numCoresPerSocket, device } = config.hardware;
      const devices = device.map(
        ({ key, deviceInfo, backing, capacityInKB, macAddress, controllerKey, unitNumber }) => ({
          ...{ key, deviceInfo, capacityInKB, macAddress, controllerKey, unitNumber },
          backing: JSON.stringify(backing, (property, value: unknown) =>
            /^(uuid|contentId)$/.test(property) ? undefined : value,
          ),
        }),
      );
      const { ipAddress, hostName } = guest;
      return {
        ...{
          ref: self.value,
          name,
          uuid,
          instanceUuid,
          guestId,
          annotation,
          template,
          files,
          cpuAllocation,
          memoryAllocation,
        },
        ...{ numCPU, memoryMB, numCoresPerSocket, devices, ipAddress, hostName, pool: resourcePool?.value },
        ...{ power: runtime.powerState, host: runtime.host.value },
      };
    })
    .sort((a, b) => (a.ref < b.ref ? -1 : 1));
}

void test('a saved simulator comes back with its names, references, devices and settings, and lives', {
  skip: withoutGovc,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const folder = join(await freshFolder(stack), 'saved');
  const first = stack.use(await start(...RICH));
  const before = useGovc(() => first, { GOVC_DATACENTER: 'DC0' });
  const vm = '/DC0/vm/DC0_H0_VM0';
  await before('vm.power', '-off', vm);
  await before(
    'vm.change',
    '-vm',
    vm,
    '-c',
    '4',
    '-m',
    '512',
    '-annotation',
    'kept',
    '-e',
    'guestinfo.a=b',
    '-mem.reservation',
    '128',
  );
  await before('vm.disk.create', '-vm', vm, '-ds', 'LocalDS_1', '-name', 'DC0_H0_VM0/second', '-size', '3G');
  await before('vm.power', '-on', vm);
  await before('vm.power', '-off', '/DC0/vm/DC0_C0_RP1_VM0');
  await before('vm.power', '-suspend', '/DC0/vm/DC0_C1_RP1_VM0');
  await before('folder.create', '/DC0/vm/team', '/DC0/vm/team/inner');
  await before('object.mv', '/DC0/vm/DC0_C0_RP1_VM0', '/DC0/vm/team');
  await before('pool.create', '-cpu.reservation', '100', '-mem.limit', '2048', '/DC0/host/DC0_C0/Resources/nested');
  await before(
    'cluster.rule.create',
    '-name',
    'apart',
    '-enable',
    '-anti-affinity',
    '-cluster',
    'DC0_C0',
    'DC0_C0_RP1_VM0',
    'DC0_C0_APP0_VM0',
  );
  await before('host.portgroup.add', '-host', 'DC0_H0', '-vswitch', 'vSwitch0', '-vlan', '7', 'seven');
  await before('dvs.portgroup.add', '-dvs', 'DVS0', '-vlan', '20', 'twenty');
  await before('fields.add', 'owner');
  await before('fields.set', 'owner', 'me', vm);
  await before('role.create', 'ops', 'VirtualMachine.Interact.PowerOn');
  await before('permissions.set', '-principal', 'ann', '-role', 'ops', '/DC0/vm/team');
  const [names, machines] = [await everything(before), await vms(before)];
  await before('object.save', '-d', folder);

  const second = stack.use(await start('-load', folder));
  const govc = useGovc(() => second, { GOVC_DATACENTER: 'DC0' });
  assert.ok(names.length > 140, `${names.length} entities`);
  assert.deepEqual(await everything(govc), names);
  assert.deepEqual(await vms(govc), machines);
  assert.match(await govc('vm.info', '-e', vm), /guestinfo\.a: +b/);
  assert.match(await govc('fields.info', '-n', 'owner', vm), /owner +me/);
  assert.match(await govc('permissions.ls', '/DC0/vm/team'), /ops +\/DC0\/vm\/team +ann +Yes/);
  assert.match(await govc('cluster.rule.info', '-cluster', 'DC0_C0'), /apart/);
  assert.match(await govc('host.portgroup.info', '-host', 'DC0_H0'), /Name: +seven[^]*VLAN ID: +7/);
  assert.match(await govc('pool.info', '/DC0/host/DC0_C0/Resources/nested'), /CPU Reservation: +100MHz/);
  for (const [command, ...args] of [
    ['host.info', 'DC0_C0_H0'],
    ['datastore.info', 'LocalDS_1'],
    ['dvs.portgroup.info', '-pg', 'twenty', 'DVS0'],
  ] as const) {
    // Free space is told anew when a datastore is refreshed; ports are numbered anew.
    const stable = async (one: Govc) =>
      lines(await one(command, ...args)).filter((line) => !/Boot time|Free:|PortKey:/.test(line));
    assert.deepEqual(await stable(govc), await stable(before), command);
  }

  await govc('vm.power', '-off', vm);
  await govc('vm.change', '-vm', vm, '-m', '1024');
  await govc('device.remove', '-vm', vm, 'disk-1000-1');
  await govc('vm.power', '-on', vm);
  await govc('vm.power', '-on', '/DC0/vm/DC0_C1_RP1_VM0');
  await govc('vm.create', '-ds', 'LocalDS_0', '-net', 'DC0_DVPG0', '-pool', 'DC0_C0/Resources/nested', 'new');
  await govc('vm.destroy', 'new');
  await govc('vapp.power', '-off', '-force', 'DC0_C0_APP0');
  await govc(
    'cluster.add',
    '-cluster',
    'DC0_C0',
    '-hostname',
    'another',
    '-username',
    'root',
    '-password',
    'x',
    '-noverify',
  );
});

void test('what was saved of vcsim is loaded, too', { skip: withoutGovc }, async (context) => {
  const vcsim = await buildVcsim();
  if ('missing' in vcsim) return context.skip(`vcsim: ${vcsim.missing}`);
  await using stack = new AsyncDisposableStack();
  const folder = await freshFolder(stack);
  const their = stack.use(await startSimulator(['-cluster', '2', '-host', '2', '-vm', '2'], vcsim.path));
  const theirs = useGovc(() => ({ env: { GOVC_URL: their.url, GOVC_INSECURE: 'true' }, stateDir: folder }));
  const names = await paths(theirs);
  await theirs('object.save', '-d', join(folder, 'saved'));
  const sim = stack.use(await start('-load', join(folder, 'saved')));
  const ours = useGovc(() => sim);
  assert.deepEqual(await paths(ours), names);
  const mine = lines(await ours('find', '/', '-type', 'm'));
  assert.equal(mine.length, 6);
  for (const vm of mine) {
    const types = async (govc: Govc) =>
      lines(await govc('device.ls', '-vm', vm))
        .map((line) => line.split(/ +/)[1])
        .filter((type) => /Disk|Cdrom|E1000|SCSI/.test(type ?? ''))
        .sort();
    assert.deepEqual(await types(ours), await types(theirs), vm);
  }
  await ours('vm.power', '-on', ...mine);
  await ours('vm.power', '-off', ...mine);
});
