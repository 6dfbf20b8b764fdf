import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { simExtensions } from './any-account.ts';
import { FlagError, parseFlags } from './flags.ts';
import { planInventory } from './inventory-plan.ts';
import { startSim } from './sim.ts';

void test("vcsim's flags are read in all their forms", () => {
  const flags = parseFlags(['-l', '127.0.0.1:0', '-dc=2', '--vm', '5', '-autostart=false', '-pg', '1', '-app=0']);
  assert.deepEqual(flags.listen, { address: '127.0.0.1', port: 0 });
  assert.deepEqual([flags.datacenters, flags.vmsPerPool, flags.isAutostart], [2, 5, false]);
  const delays = parseFlags(['-method-delay', 'PowerOnVM_Task:50', '-fault', 'Destroy_Task:InvalidState:DC0_H0_VM0']);
  assert.equal(delays.methodDelayMs.get('PowerOnVM_Task'), 50);
  assert.deepEqual(delays.faults, [{ method: 'Destroy_Task', fault: 'InvalidState', vm: 'DC0_H0_VM0' }]);
});

void test('a flag that means nothing, or is not built, is refused in one sentence', () => {
  for (const args of [
    ['-nonsense', '1'],
    ['-nonsense'],
    ['-stdinexit'],
    ['-vm'],
    ['-vm', 'x'],
    ['-esx', '-tls=false'],
    ['-nsx', '2'],
    ['-l', 'nowhere'],
    ['-tunnel', 'x'],
    ['-tunnel', '0', '-tls=false'],
    ['-tunnel', '0', '-esx'],
    ['word'],
  ]) {
    assert.throws(() => parseFlags(args), FlagError, args.join(' '));
  }
});

void test('a flag that there is not is named, also where no value follows it', () => {
  assert.throws(() => parseFlags(['-nonsense']), /there is no flag -nonsense/);
  assert.throws(() => parseFlags(['-nonsense', '-vm', '1']), /there is no flag -nonsense/);
});

void test("the inventory has vcsim's names", () => {
  const [datacenter] = planInventory(parseFlags([]));
  assert.equal(datacenter?.name, 'DC0');
  assert.deepEqual(
    datacenter?.clusters.flatMap(({ hosts }) => hosts.map(({ name }) => name)),
    ['DC0_C0_H0', 'DC0_C0_H1', 'DC0_C0_H2'],
  );
  const vms = [...(datacenter?.clusters ?? []), ...(datacenter?.standalone ?? [])].flatMap(({ hosts }) =>
    hosts.flatMap((host) => host.vms.map(({ name }) => name)),
  );
  assert.deepEqual(vms.sort(), ['DC0_C0_RP0_VM0', 'DC0_C0_RP0_VM1', 'DC0_H0_VM0', 'DC0_H0_VM1']);
  assert.deepEqual(datacenter?.datastores, ['LocalDS_0']);
});

void test('a simulator starts, tells its address, and its VMs are on and have addresses of their own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'viv-sim-test-'));
  const sim = await startSim(parseFlags(['-l', '127.0.0.1:0', '-vm', '3', '-pool', '1', '-tls=false']), {
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    version: '0',
    folder,
    progress: () => undefined,
  });
  try {
    assert.match(sim.url, /^http:\/\/user:pass@127\.0\.0\.1:\d+\/sdk$/);
    const vms = [...sim.vpxd.service.graph.ofType('VirtualMachine')];
    assert.equal(vms.length, 6);
    const pool = [...sim.vpxd.service.graph.ofType('ResourcePool')].find((one) => one.get('name') === 'DC0_C0_RP1');
    assert.equal(pool?.get('vm')?.length, 3);
    assert.ok(vms.every((vm) => vm.getPath('runtime.powerState') === 'poweredOn'));
    const unique = (path: string) => new Set(vms.map((vm) => vm.getPath(path))).size;
    for (const path of ['name', 'config.uuid', 'config.instanceUuid', 'guest.ipAddress', 'config.files.vmPathName']) {
      assert.equal(unique(path), 6, path);
    }
    const portgroup = [...sim.vpxd.service.graph.ofType('DistributedVirtualPortgroup')].find(
      (one) => one.get('name') === 'DC0_DVPG0',
    );
    assert.equal(portgroup?.get('vm')?.length, 6);
    assert.equal(portgroup?.get('host')?.length, 4);
    const macs = vms.map((vm) => vm.getPath('config.hardware.device[4000].macAddress'));
    assert.equal(new Set(macs).size, 6);
    assert.ok(!macs.includes(undefined));
  } finally {
    await sim.close();
    rmSync(folder, { recursive: true });
  }
});

void test('requests are written down with their bodies, and answered all the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'viv-sim-test-'));
  const traced = Promise.withResolvers<string>();
  const sim = await startSim(parseFlags(['-l', '127.0.0.1:0', '-vm', '0', '-tls=false', '-trace']), {
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    version: '0',
    folder,
    progress: () => undefined,
    trace: traced.resolve,
  });
  try {
    const { host } = new URL(sim.url);
    const call =
      '<RetrieveServiceContent xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></RetrieveServiceContent>';
    const body = `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>${call}</Body></Envelope>`;
    const answer = await fetch(`http://${host}/sdk`, { method: 'POST', headers: { 'content-type': 'text/xml' }, body });
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /RetrieveServiceContentResponse/);
    const [head, ...rest] = (await traced.promise).split('\n');
    assert.match(head ?? '', /^=== POST \/sdk 200 \d+ms$/);
    assert.equal(rest.join('\n').trim(), body);
  } finally {
    await sim.close();
    rmSync(folder, { recursive: true });
  }
});

void test('what vcsim has and viv sim has not is refused with the reason', () => {
  assert.throws(() => parseFlags(['-load', '/saved', '-esx']), /-load is of a vCenter/);
  assert.doesNotThrow(() => parseFlags(['-tunnel', '-1', '-load', '', '-nsx', '0']));
  assert.deepEqual([parseFlags([]).tunnelPort, parseFlags(['-tunnel', '0']).tunnelPort], [undefined, 0]);
});

void test('any extension may log in, unless one account alone may', () => {
  assert.equal(simExtensions({})('com.example', [])?.userName, 'com.example');
  assert.equal(simExtensions({})('', []), undefined);
  assert.equal(simExtensions({ userName: 'ann' })('com.example', []), undefined);
});

void test('a tunnel that cannot be listened on is named', async () => {
  const taken = createServer();
  await once(taken.listen(0, '127.0.0.1'), 'listening');
  const { port } = taken.address() as AddressInfo;
  const folder = mkdtempSync(join(tmpdir(), 'viv-sim-test-'));
  const started = startSim(parseFlags(['-l', '127.0.0.1:0', '-vm', '0', '-tunnel', String(port)]), {
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    version: '0',
    folder,
    progress: () => undefined,
  });
  await assert.rejects(started, new RegExp(`^FlagError: -tunnel ${port} cannot be listened on: .*EADDRINUSE`));
  taken.close();
  rmSync(folder, { recursive: true });
});
