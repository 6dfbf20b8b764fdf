// The families of govc commands of a vCenter, unmodified, against the simulator: what each prints, and what is refused.
// Families with hosts that do real work are in cluster.test.ts; tags are in ../govc-center.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { SIM_USER, useLabSim } from '../testing/use-lab-sim.ts';

const CLUSTER = '/DC0/host/DC0_C0';
const POOLS = `${CLUSTER}/Resources`;
const VM = 'DC0_C0_RP0_VM0';
const OTHER_VM = 'DC0_C0_RP0_VM1';
const HARDWARE = ['-m', '64', '-on=false', '-ds', 'LocalDS_0', '-net', 'DC0_DVPG0'];

describe('the govc families of a vCenter', { skip: withoutGovc }, () => {
  const govc = useGovc(useLabSim(), { GOVC_DATACENTER: 'DC0' });
  const property = async (path: string, name: string) => (await govc('object.collect', '-s', path, name)).trim();
  const missing = /not found/;

  test('about, ls, find and tree', async () => {
    assert.match(await govc('about'), /API type: +VirtualCenter\n/);
    assert.deepEqual(lines(await govc('ls')), ['/DC0/vm', '/DC0/host', '/DC0/datastore', '/DC0/network']);
    assert.deepEqual(lines(await govc('ls', CLUSTER)), [
      ...[0, 1, 2].map((n) => `${CLUSTER}/DC0_C0_H${n}`),
      `${CLUSTER}/VM Network`,
      `${CLUSTER}/DC0_DVPG0`,
      POOLS,
    ]);
    const vms = ['C0_RP0_VM0', 'C0_RP0_VM1', 'H0_VM0', 'H0_VM1'].map((name) => `/DC0/vm/DC0_${name}`);
    assert.deepEqual(lines(await govc('find', '/', '-type', 'm')), vms);
    assert.deepEqual(lines(await govc('find', '/', '-type', 'm', '-name', '*_VM1')), [vms[1], vms[3]]);
    assert.match(await govc('tree', '-L', '2'), /^\/\n└── DC0\n {4}├── datastore\n/);
    await govc.refused(missing, 'find', '/nowhere');
  });

  test('datacenter, folder and object', async () => {
    await govc('datacenter.create', 'DC9');
    await govc.refused(/'DC9' already exists/, 'datacenter.create', 'DC9');
    assert.match(await govc('datacenter.info', 'DC9'), /Path: +\/DC9\n +Hosts: +0\n/);
    await govc('folder.create', '/DC9/vm/one', '/DC9/vm/two');
    await govc.refused(/'one' already exists/, 'folder.create', '/DC9/vm/one');
    assert.match(await govc('folder.info', '/DC9/vm/one'), /Types: +Folder,VirtualMachine,VirtualApp\n +Children: +0/);
    await govc('object.mv', '/DC9/vm/two', '/DC9/vm/one');
    await govc('object.rename', '/DC9/vm/one/two', 'three');
    assert.deepEqual(lines(await govc('ls', '/DC9/vm/one')), ['/DC9/vm/one/three']);
    assert.equal(await property('/DC9/vm/one', 'name'), 'one');
    await govc.refused(/property does not exist: noSuchProperty/, 'object.collect', '/DC9/vm/one', 'noSuchProperty');
    await govc('object.destroy', '/DC9/vm/one');
    await govc('object.destroy', '/DC9');
    await govc.refused(missing, 'object.destroy', '/DC9');
  });

  test('cluster: settings, rules, groups, overrides, usage', async () => {
    const at = ['-cluster', 'DC0_C0'];
    await govc('cluster.create', '-dc', 'DC0', 'Other');
    await govc.refused(/'Other' already exists/, 'cluster.create', '-dc', 'DC0', 'Other');
    const account = ['-username', 'root', '-password', 'x', '-noverify'];
    await govc.refused(/No host/, 'cluster.add', '-cluster', 'Other', '-hostname', 'no.invalid', ...account);
    await govc('object.destroy', '/DC0/host/Other');
    await govc('cluster.change', '-drs-enabled', '-drs-mode', 'partiallyAutomated', CLUSTER);
    assert.equal(
      await property(CLUSTER, 'configurationEx.drsConfig.defaultVmBehavior').catch(() => ''),
      'partiallyAutomated',
    );

    await govc('cluster.rule.create', ...at, '-name', 'apart', '-enable', '-anti-affinity', VM, OTHER_VM);
    assert.deepEqual(lines(await govc('cluster.rule.ls', ...at)), ['apart']);
    assert.deepEqual(lines(await govc('cluster.rule.ls', ...at, '-name', 'apart')), [VM, OTHER_VM]);
    assert.match(await govc('cluster.rule.info', ...at), /Type: ClusterAntiAffinityRuleSpec\n/);
    const again = ['cluster.rule.create', ...at, '-name', 'apart', '-affinity', VM, OTHER_VM] as const;
    await govc.refused(/'apart' already exists/, ...again);
    await govc('cluster.rule.remove', ...at, '-name', 'apart');
    await govc.refused(missing, 'cluster.rule.remove', ...at, '-name', 'apart');

    await govc('cluster.group.create', ...at, '-name', 'vms', '-vm', VM);
    await govc('cluster.group.create', ...at, '-name', 'hosts', '-host', 'DC0_C0_H0', 'DC0_C0_H1');
    await govc('cluster.group.change', ...at, '-name', 'hosts', 'DC0_C0_H2');
    assert.deepEqual(lines(await govc('cluster.group.ls', ...at)), ['vms', 'hosts']);
    assert.deepEqual(lines(await govc('cluster.group.ls', ...at, '-name', 'hosts')), ['DC0_C0_H2']);
    const groups = ['-vm-host', '-vm-group', 'vms', '-host-affine-group', 'hosts'];
    await govc('cluster.rule.create', ...at, '-name', 'near', '-enable', ...groups);
    await govc.refused(/'hosts' is in use/, 'cluster.group.remove', ...at, '-name', 'hosts');
    await govc('cluster.rule.remove', ...at, '-name', 'near');
    for (const name of ['hosts', 'vms']) await govc('cluster.group.remove', ...at, '-name', name);
    assert.deepEqual(lines(await govc('cluster.group.ls', ...at)), []);

    const override = (...args: string[]) => govc('cluster.override.change', ...at, '-vm', VM, ...args);
    const overrides = () => govc('cluster.override.info', ...at);
    await override('-drs-mode', 'manual');
    assert.match(await overrides(), new RegExp(`Name: +${VM}\\n +DRS Automation Level: +Manual\\n`));
    await override('-ha-restart-priority', 'high');
    assert.match(await overrides(), /HA Restart Priority: +High\n/);
    await override('-drs-enabled=false');
    assert.match(await overrides(), /DRS Automation Level: +Default/);
    await govc('cluster.override.remove', ...at, '-vm', VM);
    assert.deepEqual(lines(await overrides()), []);
    await govc('cluster.change', '-drs-mode', 'fullyAutomated', CLUSTER);
    assert.match(await govc('cluster.usage', 'DC0_C0'), /CPU capacity: +\d+\.\dGHz[\s\S]*Memory capacity: +192\.0GB/);
  });

  test('host: maintenance, connection, removal', async () => {
    const host = `${CLUSTER}/DC0_C0_H2`;
    assert.match(await govc('host.info', '-host', host), /Memory: +65536MB\n[\s\S]*State: +connected/);
    await govc('host.maintenance.enter', host);
    assert.equal(await property(host, 'runtime.inMaintenanceMode'), 'true');
    await govc.refused(/not allowed in the current state/, 'host.maintenance.enter', host);
    await govc('host.maintenance.exit', host);
    await govc('host.disconnect', host);
    assert.equal(await property(host, 'runtime.connectionState'), 'disconnected');
    await govc.refused(/not allowed in the current state/, 'host.disconnect', host);
    await govc('host.reconnect', host);
    assert.equal(await property(host, 'runtime.connectionState'), 'connected');
    await govc.refused(/not allowed in the current state/, 'host.remove', host);
    await govc('host.maintenance.enter', host);
    await govc('host.remove', host);
    await govc.refused(missing, 'host.remove', host);
    assert.equal(await property(CLUSTER, 'summary.numHosts'), '2');
  });

  test('pool: made, changed, refused, destroyed', async () => {
    const pool = `${POOLS}/gold`;
    await govc('pool.create', '-mem.limit', '2048', pool);
    await govc.refused(/'gold' already exists/, 'pool.create', pool);
    await govc('pool.change', '-cpu.shares', 'high', '-name', 'golden', pool);
    const info = await govc('pool.info', `${POOLS}/golden`);
    assert.match(info, /CPU Shares: +high\n/);
    assert.match(info, /Mem Limit: +2048MB/);
    await govc.refused(
      /not correct: spec\.memoryAllocation/,
      'pool.change',
      '-mem.reservation',
      '4096',
      `${POOLS}/golden`,
    );
    await govc.refused(/not have enough CPU resources/, 'pool.create', '-cpu.reservation', '99999999', `${POOLS}/huge`);
    await govc('pool.destroy', `${POOLS}/golden`);
    assert.deepEqual(lines(await govc('find', POOLS, '-type', 'p')), [POOLS]);
  });

  test('vm: made where it is told, powered, changed, registered again, destroyed', async () => {
    const placed = ['-cluster', 'DC0_C0', '-force', '-m', '64', '-on=false', '-net', 'DC0_DVPG0', 'placed'];
    await govc('vm.create', ...placed);
    assert.match(await govc('vm.info', 'placed'), /Host: +DC0_C0_H\d/);
    await govc('vm.destroy', 'placed');
    await govc('folder.create', '/DC0/vm/apps');
    await govc('pool.create', `${POOLS}/apps`);
    await govc('vm.create', ...HARDWARE, '-pool', `${POOLS}/apps`, '-folder', '/DC0/vm/apps', '-disk', '1G', 'web');
    await govc('vm.create', ...HARDWARE, '-host', 'DC0_H0', 'alone');
    const again = ['vm.create', ...HARDWARE, '-host', 'DC0_H0'] as const;
    await govc.refused(/alone\.vmx already exists/, ...again, 'alone'); // govc looks for the file itself
    await govc.refused(/'alone' already exists/, ...again, '-force', 'alone');
    assert.match(await govc('vm.info', '-r', 'web'), /Path: +\/DC0\/vm\/apps\/web\n[\s\S]*Host: +DC0_C0_H\d/);
    assert.match(await govc('vm.info', 'alone'), /Host: +DC0_H0\n/);
    assert.equal(await property('/DC0/vm/apps/web', 'resourcePool'), await poolId(`${POOLS}/apps`));

    const power = async (verb: string, ends: string) => {
      await govc('vm.power', verb, 'web');
      assert.equal(await property('/DC0/vm/apps/web', 'runtime.powerState'), ends, verb);
    };
    await power('-on', 'poweredOn');
    await govc.refused(/current state \(Powered on\)/, 'vm.power', '-on', 'web');
    assert.match(await govc('vm.ip', 'web'), /^10\.\d+\.\d+\.\d+\n$/);
    await power('-suspend', 'suspended');
    await power('-on', 'poweredOn');
    await power('-reset', 'poweredOn');
    await power('-r', 'poweredOn');
    await power('-s', 'poweredOff');
    await power('-on', 'poweredOn');
    await power('-off', 'poweredOff');
    await govc.refused(/current state \(Powered off\)/, 'vm.power', '-off', 'web');

    await govc('vm.change', '-vm', 'web', '-c', '2', '-m', '128', '-annotation', 'hello', '-e', 'guestinfo.x=y');
    assert.match(await govc('vm.info', '-e', 'web'), /Memory: +128MB\n +CPU: +2 vCPU[\s\S]*guestinfo\.x: +y\n/);
    assert.equal(await property('/DC0/vm/apps/web', 'config.annotation'), 'hello');
    await devices('web');

    await govc('vm.unregister', 'web');
    assert.equal(await govc('vm.info', 'web'), '');
    await govc('vm.register', '-ds', 'LocalDS_0', '-pool', `${POOLS}/apps`, '-folder', '/DC0/vm/apps', 'web/web.vmx');
    assert.match(await govc('vm.info', 'web'), /CPU: +2 vCPU/);
    const nothing = ['vm.register', '-ds', 'LocalDS_0', '-pool', `${POOLS}/apps`, 'none/none.vmx'] as const;
    await govc.refused(/could not be found/, ...nothing);
    assert.match(await govc('events', '/DC0/vm/alone'), /Created virtual machine alone on DC0_H0 in DC0/);
    assert.match(await govc('events', '/DC0/vm/apps/web'), /Registered web on DC0_C0_H\d in DC0/);
    await govc('vm.destroy', 'web', 'alone');
    await govc.refused(missing, 'vm.destroy', 'web');
    await govc('pool.destroy', `${POOLS}/apps`);
  });

  const poolId = async (path: string) => lines(await govc('ls', '-i', path))[0]?.split(' ')[0];

  async function devices(vm: string): Promise<void> {
    const at = ['-vm', vm];
    await govc('vm.disk.create', ...at, '-name', `${vm}/data`, '-size', '1G');
    await govc('vm.disk.change', ...at, '-disk.name', 'disk-1000-1', '-size', '2G');
    const disk = await govc('device.info', ...at, 'disk-1000-1');
    assert.match(disk, /Summary: +2,097,152 KB\n[\s\S]*File: +\[LocalDS_0\] web\/data\.vmdk/);
    await govc('vm.network.add', ...at, '-net', 'VM Network', '-net.adapter', 'vmxnet3');
    await govc('vm.network.change', ...at, '-net', 'VM Network', '-net.address', '00:50:56:00:00:11', 'ethernet-1');
    assert.match(await govc('device.info', ...at, 'ethernet-1'), /MAC Address: +00:50:56:00:00:11/);
    await govc.refused(/'ethernet-9' not found/, 'vm.network.change', ...at, '-net', 'VM Network', 'ethernet-9');
    assert.equal((await govc('device.cdrom.add', ...at)).trim(), 'cdrom-3000');
    assert.equal((await govc('device.scsi.add', ...at)).trim(), 'lsilogic-1001');
    await govc('device.remove', ...at, 'ethernet-1');
    await govc.refused(/'ethernet-1' not found/, 'device.remove', ...at, 'ethernet-1');
    assert.match(await govc('device.ls', ...at), /lsilogic-1001 +VirtualLsiLogicController/);
  }

  test('datastore.info, events and tasks', async () => {
    assert.match(await govc('datastore.info', 'LocalDS_0'), /Path: +\/DC0\/datastore\/LocalDS_0\n +Type: +VMFS\n/);
    await govc.refused(missing, 'datastore.info', 'LocalDS_9');
    await govc('vm.power', '-off', OTHER_VM);
    const about = `/DC0/vm/${OTHER_VM}`;
    assert.match(await govc('events', about), new RegExp(`${OTHER_VM} on DC0_C0_H\\d in DC0 is powered off`));
    assert.match(await govc('tasks', about), new RegExp(`PowerOffVM +${OTHER_VM} +.*success`));
    await govc.refused(/Powered off/, 'vm.power', '-suspend', OTHER_VM);
    assert.match(await govc('tasks', about), /SuspendVM .*error/);
  });

  test('role, permissions and session', async () => {
    await govc('role.create', 'ops', 'VirtualMachine.Interact.PowerOn');
    await govc.refused(/'ops' already exists/, 'role.create', 'ops');
    await govc('role.update', '-a', 'ops', 'Authorization.ModifyPermissions');
    const granted = lines(await govc('role.ls', 'ops')).filter((name) => !name.startsWith('System.'));
    assert.deepEqual(granted, ['Authorization.ModifyPermissions', 'VirtualMachine.Interact.PowerOn']);
    await govc('permissions.set', '-principal', SIM_USER, '-role', 'ops', '/DC0/network');
    assert.match(await govc('permissions.ls', '/DC0/network'), /ops +\/DC0\/network +\S*[Aa]dministrator\S* +Yes/);
    assert.match(await govc('role.usage', 'ops'), /ops +\/DC0\/network/);
    await govc.refused(/Remove failed/, 'role.remove', 'ops');
    // Any name will do, as with vcsim.
    await govc('permissions.set', '-principal', 'somebody@example.org', '-role', 'ops', '/DC0/network');
    await govc('permissions.remove', '-principal', 'somebody@example.org', '/DC0/network');
    await govc('permissions.remove', '-principal', SIM_USER, '/DC0/network');
    await govc.refused(/could not be found/, 'permissions.remove', '-principal', SIM_USER, '/DC0/network');
    await govc('role.remove', 'ops');
    await govc.refused(missing, 'role.ls', 'ops');
    assert.match(await govc('session.ls'), /govc\//);
    await govc.refused(/could not be found/, 'session.rm', 'nobody');
  });

  test('fields, option and storage policies', async () => {
    const key = (await govc('fields.add', 'owner')).trim();
    await govc.refused(/'owner' already exists/, 'fields.add', 'owner');
    await govc('fields.set', 'owner', 'me', `/DC0/vm/${VM}`);
    assert.match(await govc('fields.info', '-n', 'owner', `/DC0/vm/${VM}`), new RegExp(`${VM} +owner +me`));
    await govc('fields.rename', 'owner', 'keeper');
    assert.match(await govc('fields.ls'), new RegExp(`^${key} +keeper`));
    await govc('fields.rm', 'keeper');
    await govc.refused(missing, 'fields.rm', 'keeper');
    await govc('option.set', 'Annotations.WelcomeMessage', 'hello');
    assert.match(await govc('option.ls', 'Annotations.WelcomeMessage'), /: +hello\n/);
    await govc.refused(/'k\.x' is invalid/, 'option.set', 'k.x', 'v');
    await govc.refused(/invalid/, 'option.ls', 'config.none');
    await govc('option.set', 'config.none', 'some');
    assert.match(await govc('option.ls', 'config.none'), /config\.none: +some\n/);
    assert.deepEqual(lines(await govc('storage.policy.ls')), []);
  });

  test('extension: registered, updated, given a certificate, unregistered', async () => {
    const key = 'com.example.backup';
    const extension = (version: string) =>
      JSON.stringify({ key, version, company: 'Example', description: { label: 'Backup', summary: 'Copies VMs' } });
    await govc.input(extension('1.0'), 'extension.register');
    await govc.input(extension('2.0'), 'extension.register', '-update');
    assert.match(await govc('extension.info', key), /Version: +2\.0\n +Description: +Copies VMs\n +Company: +Example/);
    await govc.refused(/not correct: certificatePem/, 'extension.setcert', '-cert-pem', 'none', key);
    await govc('extension.unregister', key);
    await govc.refused(/not found/, 'extension.info', key);
    await govc.refused(/could not be found/, 'extension.unregister', key);
  });
});
