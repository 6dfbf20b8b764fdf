// Looking around with govc: what a host says of itself and of what it has, and how it tells of changes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  AboutInfo,
  HostPortGroup,
  HostVirtualSwitch,
  ManagedObjectReference,
  Properties,
  PropertyChange,
  TaskInfo,
} from '@vivarium/vim';
import { useLabHost } from '../testing/use-lab-host.ts';
import { lines, useGovc, withoutGovc } from './use-govc.ts';

interface Elements {
  readonly elements: readonly { readonly Path: string; readonly Object: { readonly self: ManagedObjectReference } }[];
}

describe('govc looks around', { skip: withoutGovc }, () => {
  const govc = useGovc(useLabHost());

  test('about', async () => {
    const { about } = await govc.json<{ about: AboutInfo }>('about');
    assert.equal(about.apiType, 'HostAgent');
    assert.equal(about.productLineId, 'embeddedEsx');
    assert.equal(about.apiVersion, '9.0.0.0');
    assert.match(await govc('about'), /^API type: +HostAgent$/m);
  });

  test('ls, find and tree', async () => {
    const folders = ['vm', 'host', 'datastore', 'network'].map((name) => `/ha-datacenter/${name}`);
    assert.deepEqual(lines(await govc('ls')), folders);
    assert.deepEqual(lines(await govc('ls', 'vm')), ['/ha-datacenter/vm/demo']);
    const { elements } = await govc.json<Elements>('ls', 'host/*');
    const types = new Map(elements.map(({ Path, Object }) => [Path, Object.self.type]));
    assert.equal(types.get('/ha-datacenter/host/esx1/Resources'), 'ResourcePool');
    assert.equal(types.get('/ha-datacenter/host/esx1/esx1'), 'HostSystem');
    assert.equal(await govc('ls', 'vm/nothing'), '');

    assert.deepEqual(lines(await govc('find', '/', '-type', 'm')), ['/ha-datacenter/vm/demo']);
    assert.deepEqual(lines(await govc('find', '/', '-type', 'h')), ['/ha-datacenter/host/esx1/esx1']);
    assert.deepEqual(lines(await govc('find', '.', '-type', 's')), ['/ha-datacenter/datastore/datastore1']);
    assert.deepEqual(lines(await govc('find', '.', '-type', 'm', '-runtime.powerState', 'poweredOff')), []);
    assert.deepEqual(lines(await govc('find', '.', '-type', 'm', '-runtime.powerState', 'poweredOn')), [
      '/ha-datacenter/vm/demo',
    ]);
    assert.deepEqual(await govc.json<string[]>('find', 'network'), ['network', 'network/VM Network']);
    await govc.refused(/not found/, 'find', '/nowhere');

    const tree = await govc('tree');
    for (const name of ['ha-datacenter', 'datastore1', 'Resources', 'VM Network', 'demo']) {
      assert.match(tree, new RegExp(`[├└]── ${name}$`, 'm'));
    }
  });

  test('object.collect reads properties of any object', async () => {
    assert.equal(await govc('object.collect', '-s', 'vm/demo', 'runtime.powerState'), 'poweredOn\n');
    assert.equal(await govc('object.collect', '-s', '-', 'content.about.apiType'), 'HostAgent\n');
    assert.match(await govc('object.collect', 'vm/demo', 'name', 'config.hardware.numCPU'), /numCPU +int32 +1$/m);
    const [memory] = await govc.json<PropertyChange[]>('object.collect', 'vm/demo', 'config.hardware.memoryMB');
    assert.deepEqual(memory, { name: 'config.hardware.memoryMB', op: 'assign', val: 256 });
    assert.match(
      await govc('object.collect', '-s', 'vm/demo', 'config.hardware.device[4000].macAddress'),
      /^00:0c:29(:[0-9a-f]{2}){3}\n$/,
    );
    assert.match(await govc('object.collect', '-type', 'm', '/', 'name'), /^VirtualMachine:1 +name +string +demo$/m);
    assert.equal(await govc('object.collect', '-s', 'HostSystem:ha-host', 'runtime.connectionState'), 'connected\n');
    const vm = await govc.json<Properties<'VirtualMachine'>>('object.collect', '-o', 'vm/demo');
    assert.equal(vm.config?.guestId, 'debian12_64Guest');
    assert.equal(vm.summary?.runtime.powerState, 'poweredOn');
    assert.ok(vm.config?.hardware.device?.some(({ deviceInfo }) => deviceInfo?.label === 'Hard disk 1'));
    await govc.refused(/property does not exist: nope/, 'object.collect', 'vm/demo', 'nope');
    await govc.refused(/not found/, 'object.collect', 'vm/nothing', 'name');
    await govc.refused(/already been deleted/, 'object.collect', 'VirtualMachine:999', 'name');
  });

  test('object.collect -n follows changes as they come, and ends', async () => {
    await govc('vm.create', '-on=false', '-m', '64', 'followed');
    await using changes = govc.follow('object.collect', '-n', '2', 'vm/followed', 'config.annotation', 'name');
    await changes.hears(/name +string +followed/);
    await govc('vm.change', '-vm', 'followed', '-annotation', 'first');
    await changes.hears(/config\.annotation +string +first/);
    await govc('vm.change', '-vm', 'followed', '-annotation', 'second');
    assert.equal(await changes.ended(), 0);
    assert.match(changes.said, /config\.annotation +string +second/);
  });

  test('object.collect waits for a value, in one object and in a view that grows', async () => {
    await using waiting = govc.follow('object.collect', '-s', 'vm/followed', '-config.hardware.numCPU', '2');
    await using newcomers = govc.follow('object.collect', '-n', '-1', '-type', 'm', '/', 'name');
    await newcomers.hears(/followed/);
    await govc('vm.change', '-vm', 'followed', '-c', '2');
    assert.equal(await waiting.ended(), 0);
    await govc('vm.create', '-on=false', '-m', '64', 'newcomer');
    await newcomers.hears(/newcomer/);
    await govc('vm.destroy', 'newcomer');
  });

  test('object.rename and object.destroy', async () => {
    await govc('object.rename', 'vm/followed', 'renamed');
    assert.match(await govc('ls', 'vm'), /vm\/renamed$/m);
    await govc.refused(/'demo' already exists/, 'object.rename', 'vm/renamed', 'demo');
    await govc.refused(/current state \(Powered on\)/, 'object.destroy', 'vm/demo');
    await govc('object.destroy', 'vm/renamed');
    assert.doesNotMatch(await govc('ls', 'vm'), /renamed/);
    await govc.refused(/not supported/, 'object.destroy', 'network/VM Network');
  });

  test('host.info, pool.info, datacenter.info and folder.info', async () => {
    const { hostSystems } = await govc.json<{ hostSystems: Properties<'HostSystem'>[] }>('host.info');
    assert.equal(hostSystems[0]?.name, 'esx1');
    assert.equal(hostSystems[0]?.summary?.runtime?.connectionState, 'connected');
    assert.match(await govc('host.info'), /^ {2}Memory usage: +\d+ MB/m);
    const { resourcePools } = await govc.json<{ resourcePools: Properties<'ResourcePool'>[] }>(
      'pool.info',
      '*/Resources',
    );
    assert.equal(resourcePools[0]?.name, 'Resources');
    assert.ok((resourcePools[0]?.runtime?.memory.maxUsage ?? 0) > 0);
    assert.match(await govc('datacenter.info'), /Virtual Machines: +1$/m);
    assert.match(await govc('folder.info', 'vm'), /Children: +1$/m);
  });

  test('host.portgroup and host.vswitch: what there is, and what is added', async () => {
    const { portgroup } = await govc.json<{ portgroup: HostPortGroup[] }>('host.portgroup.info');
    assert.deepEqual(
      portgroup.map(({ spec }) => spec.name),
      ['VM Network', 'Management Network'],
    );
    assert.equal(portgroup[0]?.port?.filter(({ type }) => type === 'virtualMachine').length, 1, "the demo VM's NIC");
    const { vswitch } = await govc.json<{ vswitch: HostVirtualSwitch[] }>('host.vswitch.info');
    assert.deepEqual(
      vswitch.map(({ name, mtu }) => [name, mtu]),
      [['vSwitch0', 1500]],
    );
    assert.match(await govc('object.collect', '-s', 'network/VM Network', 'vm'), /^VirtualMachine:1\n$/);
  });

  test('a port group is added, changed and removed', {
    skip: process.getuid?.() !== 0 && 'not run: this needs root',
  }, async () => {
    await govc('host.portgroup.add', '-vswitch', 'vSwitch0', '-vlan', '12', 'lab');
    assert.match(await govc('ls', 'network'), /network\/lab$/m);
    await govc('host.portgroup.change', '-vlan-id', '13', '-allow-promiscuous', 'lab');
    assert.match(await govc('host.portgroup.info'), /Name: +lab\n.*\nVLAN ID: +13\n.*\nAllow promiscuous mode: +Yes/);
    await govc.refused(/already exists/, 'host.portgroup.add', '-vswitch', 'vSwitch0', 'lab');
    await govc.refused(/no virtual switch 'vSwitch9'/, 'host.portgroup.add', '-vswitch', 'vSwitch9', 'other');
    await govc('vm.create', '-m', '64', '-net', 'lab', 'wired');
    await govc.refused(/in use/, 'host.portgroup.remove', 'lab');
    await govc('vm.network.change', '-vm', 'wired', '-net', 'VM Network', 'ethernet-0');
    await govc('host.portgroup.remove', 'lab');
    await govc.refused(/no port group 'lab'/, 'host.portgroup.remove', 'lab');
    await govc('vm.destroy', 'wired'); // govc turns it off first
  });

  test('datastore.info', async () => {
    const { datastores } = await govc.json<{ datastores: Properties<'Datastore'>[] }>('datastore.info');
    assert.equal(datastores[0]?.summary?.name, 'datastore1');
    assert.ok((datastores[0]?.summary?.freeSpace ?? 0) > 0);
  });

  test('events tell what happened, and -f tells what happens', async () => {
    await using happening = govc.follow('events', '-f', '/ha-datacenter/vm');
    await happening.hears(/demo/);
    await govc('vm.create', '-on=false', '-m', '64', 'eventful');
    await happening.hears(/Created virtual machine eventful/);
    await govc('vm.destroy', 'eventful');
    await happening.hears(/Removed eventful/i);
    const past = await govc('events', '-n', '100', 'vm/demo');
    assert.match(past, /demo.*powered on/i);
    const only = lines(await govc('events', '-n', '100', '-type', 'VmPoweredOnEvent'));
    assert.ok(only.length > 0 && only.every((line) => /powered on/i.test(line)), only.join('\n'));
    const last = await govc.json<{ category: string; message: string }>('events', '-n', '1');
    assert.equal(last.category, 'info');
  });

  test('tasks tell what was done, and -f tells what is done', async () => {
    await using doing = govc.follow('tasks', '-f');
    await doing.hears(/Task +Target/);
    await govc('vm.create', '-on=false', '-m', '64', 'busy');
    await govc('vm.power', '-on', 'busy');
    await doing.hears(/PowerOnVM +busy .*success/);
    await govc('vm.power', '-off', 'busy');
    await govc.refused(/Powered off/, 'vm.power', '-off', 'busy');
    const past = await govc('tasks', '-n', '20');
    assert.match(past, /CreateVM.*success/);
    assert.match(past, /PowerOffVM +busy.*error +\[.*current state/);
    const { tasks } = await govc.json<{ tasks: TaskInfo[] }>('tasks', '-n', '20', 'vm/busy');
    assert.ok(tasks.every(({ entityName }) => entityName === 'busy'));
    assert.ok(
      tasks.some(({ descriptionId, state }) => descriptionId === 'VirtualMachine.powerOn' && state === 'success'),
    );
    await govc('vm.destroy', 'busy');
  });

  test('logs and logs.ls', async () => {
    assert.match(await govc('logs.ls'), /^hostd +.*hostd\.log$/m);
    assert.match(await govc('logs', '-n', '100'), /"msg":"hostd is ready"/);
    assert.ok(lines(await govc('logs', '-log', 'hostd', '-n', '1')).length >= 1);
    await govc.refused(/not correct: key/, 'logs', '-log', 'nothing');
  });

  test('metric.ls, and the interval that a host keeps', async () => {
    // Empty until the first sample, 20 seconds after the power-on.
    await govc('metric.ls', 'vm/demo');
    assert.match(await govc('metric.interval.info'), /Name: +PastDay/);
  });

  test('vm.target.info and vm.option.info', async () => {
    assert.match(await govc('vm.target.info'), /^Datastore: +datastore1$/m);
    assert.match(await govc('vm.option.info'), /^debian12_64Guest +Debian/m);
    assert.match(await govc('vm.option.ls'), /^vmx-21 /m);
  });
});
