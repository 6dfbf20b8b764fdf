// What govc does with virtual machines as a whole: their configuration, every verb of power, consoles, keys, registration.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Properties, VirtualMachineConfigInfo } from '@vivarium/vim';
import { useLabHost } from '../testing/use-lab-host.ts';
import { readVncGreeting } from '../testing/vnc-greeting.ts';
import { waitFor } from '../testing/wait-for.ts';
import { useGovc, withoutGovc } from './use-govc.ts';

type Vms = { readonly virtualMachines: readonly Properties<'VirtualMachine'>[] };

describe('govc and virtual machines', { skip: withoutGovc }, () => {
  const host = useLabHost();
  const govc = useGovc(host);
  const power = async (name: string) => (await govc('object.collect', '-s', `vm/${name}`, 'runtime.powerState')).trim();
  const configOf = async (name: string): Promise<VirtualMachineConfigInfo> => {
    const { config } = (await govc.json<Vms>('vm.info', name)).virtualMachines[0] ?? {};
    assert.ok(config);
    return config;
  };

  test('vm.change says everything of a VM that can be said', async () => {
    const uuid = '564d1111-2222-3333-4444-555566667777';
    await govc('vm.create', '-on=false', '-m', '64', '-disk', '8MB', '-disk.controller', 'pvscsi', 'plain');
    await govc('vm.change', '-vm', 'plain', '-name', 'sized', '-c', '2', '-m', '128', '-g', 'debian12_64Guest');
    const latency = ['-latency', 'normal', '-sync-time-with-host=false', '-uuid', uuid, '-annotation', 'two words'];
    await govc('vm.change', '-vm', 'sized', ...latency, '-e', 'guestinfo.role=web', '-e', 'other=x');
    const cpu = ['-cpu.limit', '500', '-cpu.reservation', '100', '-cpu.shares', 'high'];
    const memory = ['-mem.limit', '256', '-mem.reservation', '32', '-mem.shares', 'low'];
    await govc('vm.change', '-vm', 'sized', ...cpu, ...memory);
    const hot = ['-cpu-hot-add-enabled=true', '-memory-hot-add-enabled=true', '-nested-hv-enabled=true'];
    await govc('vm.change', '-vm', 'sized', ...hot);
    const config = await configOf('sized');
    assert.deepEqual([config.name, config.uuid, config.annotation], ['sized', uuid, 'two words']);
    assert.deepEqual([config.hardware.numCPU, config.hardware.memoryMB, config.guestId], [2, 128, 'debian12_64Guest']);
    assert.deepEqual([config.cpuHotAddEnabled, config.memoryHotAddEnabled, config.nestedHVEnabled], [true, true, true]);
    const { cpuAllocation, memoryAllocation } = config;
    assert.deepEqual(
      [cpuAllocation?.limit, cpuAllocation?.reservation, cpuAllocation?.shares?.level],
      [500, 100, 'high'],
    );
    assert.deepEqual(
      [memoryAllocation?.limit, memoryAllocation?.reservation, memoryAllocation?.shares?.level],
      [256, 32, 'low'],
    );
    const extra = new Map(config.extraConfig?.map(({ key, value }) => [key, value]));
    assert.deepEqual([extra.get('guestinfo.role'), extra.get('other')], ['web', 'x']);
    // An empty value takes a key away.
    await govc('vm.change', '-vm', 'sized', '-e', 'other=');
    assert.doesNotMatch(await govc('vm.info', '-e', 'sized'), /other:/);
    for (const [says, ...change] of [
      [/'demo' already exists/, '-name', 'demo'],
      [/configSpec\.memoryMB/, '-m', '3'],
      [/configSpec\.numCPUs/, '-c', '4096'],
      [/configSpec\.guestId/, '-g', 'nonsense'],
    ] as const)
      await govc.refused(says, 'vm.change', '-vm', 'sized', ...change);
    assert.deepEqual(await configOf('sized'), {
      ...config,
      changeVersion: (await configOf('sized')).changeVersion,
      modified: (await configOf('sized')).modified,
      extraConfig: config.extraConfig?.filter(({ key }) => key !== 'other'),
    });
  });

  test('vm.info tells it: as text, with resources, as JSON; what is not there is not an error', async () => {
    assert.match(await govc('vm.info', '-e', 'sized'), /guestinfo\.role: +web/);
    assert.match(await govc('vm.info', '-r', 'sized'), /Storage: +datastore1\n[\s\S]*Network: +VM Network/);
    assert.match(await govc('vm.info', '-t', 'sized'), /ToolsConfigInfo:/);
    assert.match(await govc('vm.info', '-vm.uuid', '564d1111-2222-3333-4444-555566667777'), /Name: +sized/);
    const all = await govc.json<Vms>('vm.info', '-r', '*');
    assert.deepEqual(all.virtualMachines.map(({ name }) => name).toSorted(), ['demo', 'sized']);
    const demo = all.virtualMachines.find(({ name }) => name === 'demo');
    assert.equal(demo?.guest?.toolsRunningStatus, 'guestToolsRunning');
    assert.ok((demo?.summary?.quickStats?.uptimeSeconds ?? 0) > 0);
    assert.equal(await govc('vm.info', 'nothing'), '');
  });

  test('vm.ip and guest.df', async () => {
    const address = (await govc('vm.ip', 'demo')).trim();
    assert.equal((await govc('vm.ip', '-v4', 'demo')).trim(), address);
    assert.equal((await govc('vm.ip', '-n', 'ethernet-0', '-v4', 'demo')).trim(), address);
    assert.ok((await govc('vm.ip', '-a', 'demo')).trim().split(',').includes(address));
    await govc.refused(/'nothing' not found/, 'vm.ip', 'nothing');
    assert.match(await govc('guest.df', '-vm', 'demo'), /^\/data +\d+\.\dMB/m);
  });

  test('vm.power: every verb in every state', async () => {
    const cannot = (state: string) => new RegExp(`cannot be performed in the current state \\(${state}\\)`);
    for (const verb of ['-off', '-reset', '-suspend', '-s', '-r'])
      await govc.refused(cannot('Powered off'), 'vm.power', verb, 'sized');
    await govc('vm.power', '-on', 'sized');
    await govc.refused(cannot('Powered on'), 'vm.power', '-on', 'sized');
    await govc('vm.power', '-reset', 'sized');
    await govc('vm.power', '-suspend', 'sized');
    assert.equal(await power('sized'), 'suspended');
    for (const verb of ['-reset', '-suspend', '-s', '-r'])
      await govc.refused(cannot('Suspended'), 'vm.power', verb, 'sized');
    await govc('vm.power', '-on', 'sized');
    await govc('vm.power', '-off', 'sized');
    // With -force a VM that is in the wanted state already is no error.
    await govc('vm.power', '-off', '-force', 'sized');
    await govc('vm.power', '-M', '-wait=false', '-on', 'sized');
    await waitFor('the VM to be on', async () => (await power('sized')) === 'poweredOn');
    await govc('vm.power', '-suspend', 'sized');
    await govc('vm.power', '-off', 'sized');
    assert.equal(await power('sized'), 'poweredOff');
    await govc.refused(/'nothing' not found/, 'vm.power', '-on', 'nothing');
  });

  test('a guest goes on with what was plugged into it before it was suspended', async () => {
    await govc('vm.power', '-off', 'demo');
    await govc('vm.change', '-vm', 'demo', '-c', '1', '-cpu-hot-add-enabled=true', '-memory-hot-add-enabled=true');
    await govc('vm.power', '-on', 'demo');
    await govc('vm.ip', '-wait', '120s', 'demo');
    await govc('vm.change', '-vm', 'demo', '-c', '2');
    await govc('vm.change', '-vm', 'demo', '-m', '384');
    await govc('vm.change', '-vm', 'demo', '-m', '512');
    await govc('vm.network.add', '-vm', 'demo', '-net', 'VM Network', '-net.adapter', 'vmxnet3');
    await govc('vm.disk.create', '-vm', 'demo', '-name', 'demo/hot', '-size', '8M');
    const upSeconds = async (address: string) => {
      const page = await fetch(`http://${address}/cgi-bin/index.cgi`, { headers: { connection: 'close' } });
      return Number(/^uptime: ([\d.]+)/m.exec(await page.text())?.[1]);
    };
    const before = await upSeconds((await govc('vm.ip', '-v4', '-n', 'ethernet-0', 'demo')).trim());
    await govc('vm.power', '-suspend', 'demo');
    await govc('vm.power', '-on', 'demo');
    const address = (await govc('vm.ip', '-wait', '120s', '-v4', '-n', 'ethernet-0', 'demo')).trim();
    assert.ok((await upSeconds(address)) >= before, 'it was not booted anew');
    const { hardware } = await configOf('demo');
    assert.deepEqual([hardware.numCPU, hardware.memoryMB], [2, 512]);
  });

  test('a guest restarts and shuts down by its agent', async () => {
    await govc('vm.power', '-r', 'demo');
    await waitFor('the guest to go down', async () => !/guestToolsRunning/.test(await toolsOf('demo')));
    await waitFor('the guest to be back', async () => /guestToolsRunning/.test(await toolsOf('demo')), 120_000);
    assert.equal(await power('demo'), 'poweredOn');
    await govc('vm.power', '-s', 'demo');
    await waitFor('the guest to be off', async () => (await power('demo')) === 'poweredOff');
  });

  test('vm.console and vm.keystrokes', async () => {
    assert.match(await govc('vm.console', 'sized'), /^vmrc:\/\/clone:[0-9a-f]+@127\.0\.0\.1\/\?moid=\d+\n$/);
    await govc.refused(/not powered on/, 'vm.console', '-wss', 'sized');
    await govc.refused(/Powered off/, 'vm.keystrokes', '-vm', 'sized', '-s', 'x');
    await govc('vm.power', '-on', 'sized');
    const ticket = (await govc('vm.console', '-wss', 'sized')).trim();
    assert.match(ticket, /^wss:\/\/127\.0\.0\.1:\d+\/ticket\/[0-9a-f]+$/);
    assert.equal(await readVncGreeting(ticket), 'RFB 003.008\n');
    await assert.rejects(readVncGreeting(ticket), 'a ticket opens once');
    const picture = join(host().stateDir, 'screen.png');
    await govc('vm.console', '-capture', picture, 'sized');
    assert.equal((await readFile(picture)).subarray(1, 4).toString('latin1'), 'PNG');
    await govc('vm.keystrokes', '-vm', 'sized', '-s', 'root');
    await govc('vm.keystrokes', '-vm', 'sized', '-c', 'KEY_ENTER');
    await govc('vm.keystrokes', '-vm', 'sized', '-c', '0x15', '-lc=true', '-ls=true');
    await govc('vm.keystrokes', '-vm', 'sized', '-r', '1376263');
    assert.match(await govc('vm.question', '-vm', 'sized'), /No pending question/);
  });

  test('vm.register and vm.unregister', async () => {
    await govc.refused(/Powered on/, 'vm.unregister', 'sized');
    await govc('vm.power', '-off', 'sized');
    const before = await configOf('sized');
    await govc('vm.unregister', 'sized');
    assert.equal(await govc('ls', 'vm/sized'), '');
    await govc('vm.register', '-name', 'again', 'plain/plain.vmx');
    const after = await configOf('again');
    assert.deepEqual([after.uuid, after.annotation], [before.uuid, before.annotation]);
    assert.deepEqual(after.hardware, before.hardware);
    await govc.refused(/already exists/, 'vm.register', 'plain/plain.vmx');
    await govc.refused(/no file \[datastore1\] plain\/nothing\.vmx/, 'vm.register', 'plain/nothing.vmx');
    await govc.refused(/Invalid datastore path/, 'vm.register', 'demo/vmware.log');
    await govc.refused(/'nothing' not found/, 'vm.unregister', 'nothing');
  });

  test('vm.upgrade takes a VM that is off to newer hardware', async () => {
    await govc('vm.create', '-on=false', '-m', '64', '-version', 'vmx-13', 'old');
    await govc('vm.upgrade', '-version', '19', '-vm', 'old');
    assert.equal((await configOf('old')).version, 'vmx-19');
    await govc('vm.upgrade', '-vm', 'old');
    assert.match(await govc('vm.upgrade', '-vm', 'old'), /Already upgraded/);
    await govc.refused(/not correct: version/, 'vm.upgrade', '-version', '14', '-vm', 'old');
    await govc('vm.power', '-on', 'old');
    await govc.refused(/Powered on/, 'vm.upgrade', '-vm', 'old');
    await govc('vm.destroy', 'old');
  });

  test('vm.destroy takes a VM with its disks, running or not', async () => {
    await govc('vm.power', '-on', 'again');
    await govc('vm.destroy', 'again');
    assert.equal((await govc('datastore.ls', 'plain').catch(() => '')).trim(), '');
    await govc.refused(/'again' not found/, 'vm.destroy', 'again');
  });

  test('what is not built says so', async () => {
    for (const command of [
      ['vm.clone', '-vm', 'demo', 'copy'],
      ['vm.markastemplate', 'demo'],
      ['snapshot.create', '-vm', 'demo', 'first'],
    ])
      await govc.refused(/not supported/, ...command);
  });

  const toolsOf = (name: string) => govc('object.collect', '-s', `vm/${name}`, 'guest.toolsRunningStatus');
});
