// What govc finds beside the inventory of a vCenter: licences, logs, firewalls; and what is not built is refused in words.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { useLabSim } from '../testing/use-lab-sim.ts';

const EVALUATION = '00000-00000-00000-00000-00000';
const KEY = '00000-00000-00000-00000-00001';
const CLUSTER = '/DC0/host/DC0_C0';

describe("govc and a vCenter's services", { skip: withoutGovc }, () => {
  const govc = useGovc(useLabSim(), { GOVC_DATACENTER: 'DC0' });

  test('license.*: keys in the inventory, their labels, and whom they are assigned to', async () => {
    const licenses = () => govc.json<{ licenseKey: string; labels?: { key: string; value: string }[] }[]>('license.ls');
    assert.match(await govc('license.ls'), new RegExp(`^${EVALUATION} +eval +0 `, 'm'));
    assert.match(await govc('license.add', KEY), new RegExp(`^${KEY} +vivarium +0 +0`, 'm'));
    await govc.refused(/not correct: licenseKey/, 'license.add', 'no-key');
    assert.match(await govc('license.decode', KEY), new RegExp(`^${KEY} `, 'm'));
    await govc.refused(/not correct: licenseKey/, 'license.decode', 'no-key');

    await govc('license.label.set', KEY, 'team', 'cloud');
    await govc('license.label.set', KEY, 'team', 'net');
    assert.deepEqual((await licenses())[1]?.labels, [{ key: 'team', value: 'net' }]);
    await govc('license.label.set', KEY, 'team', '');
    assert.equal((await licenses())[1]?.labels, undefined);
    await govc.refused(/not correct: licenseKey/, 'license.label.set', 'no-key', 'team', 'cloud');

    await govc('license.assign', '-host', 'DC0_H0', KEY);
    await govc('license.assign', KEY);
    const assigned = lines(await govc('license.assigned.ls'));
    assert.equal(assigned.filter((line) => line.endsWith(KEY)).length, 2);
    assert.equal(assigned.filter((line) => line.endsWith(EVALUATION)).length, 3);
    await govc.refused(/is in use/, 'license.remove', KEY);
    await govc('license.assign', '-host', 'DC0_H0', '-remove', KEY);
    await govc('license.assign', '-remove', KEY);
    await govc('license.remove', KEY);
    assert.deepEqual(
      (await licenses()).map(({ licenseKey }) => licenseKey),
      [EVALUATION],
    );
    await govc.refused(/not correct: licenseKey/, 'license.remove', EVALUATION);
  });

  test('logs: a simulator keeps none', async () => {
    assert.deepEqual(lines(await govc('logs.ls')), []);
    await govc.refused(/not correct: key/, 'logs');
    await govc.refused(/not supported/, 'logs', '-host', 'DC0_H0');
    await govc.refused(/not supported/, 'logs.download');
  });

  test('firewall.ruleset.find: a host blocks nothing', async () => {
    const find = ['firewall.ruleset.find', '-host', 'DC0_H0', '-c=false', '-direction', 'outbound', '-port'] as const;
    assert.equal((await govc(...find, '22')).trim(), 'sshClient');
    await govc.refused(/0 enabled firewall rulesets match/, ...find, '23');
    await govc.refused(/0 disabled firewall rulesets match/, ...find, '22', '-enabled=false');
  });

  test('cluster.mv and cluster.rule.change; what a VM may have follows it into the cluster', async () => {
    const [vm, other] = ['DC0_H0_VM0', 'DC0_H0_VM1'];
    await govc('cluster.mv', '-cluster', 'DC0_C0', 'DC0_H0');
    assert.ok(lines(await govc('ls', CLUSTER)).includes(`${CLUSTER}/DC0_H0`));
    await govc.refused(/not found/, 'cluster.mv', '-cluster', 'DC0_C0', 'none');
    assert.match(await govc('vm.option.ls', '-vm', vm), /^vmx-21 +/m);
    assert.match(await govc('device.pci.ls', '-vm', vm), /^System ID/);
    await govc.refused(/not found/, 'device.pci.add', '-vm', vm, '0000:00:00.0');
    assert.deepEqual(lines(await govc('vm.rdm.ls', '-vm', vm)), []);
    await govc.refused(/No LUN/, 'vm.rdm.attach', '-vm', vm, '-device', 'naa.1');
    const rule = (verb: string, ...args: string[]) => [`cluster.rule.${verb}`, '-cluster', 'DC0_C0', ...args] as const;
    const isEnabled = async () => {
      const config = await govc.json<{ rule: { enabled?: boolean }[] }>(
        'object.collect',
        '-s',
        CLUSTER,
        'configurationEx',
      );
      return config.rule[0]?.enabled ?? false; // govc leaves out what is false
    };
    await govc(...rule('create', '-name', 'apart', '-enable', '-anti-affinity', vm, other));
    assert.equal(await isEnabled(), true);
    await govc(...rule('change', '-name', 'apart', '-enable=false'));
    assert.equal(await isEnabled(), false);
    await govc.refused(/not found/, ...rule('change', '-name', 'none', '-enable=false'));
    await govc(...rule('remove', '-name', 'apart'));
  });

  test('object.method: what somebody disables nobody does, until it is enabled again; the state disables the rest', async () => {
    const vm = '/DC0/vm/DC0_C0_RP0_VM0';
    const method = (...args: string[]) => ['object.method', ...args, vm] as const;
    const disabled = async () => (await govc('object.collect', '-s', vm, 'disabledMethod')).trim().split(',');
    assert.ok((await disabled()).includes('PowerOnVM_Task'));
    await govc('vm.power', '-off', vm);
    assert.ok((await disabled()).includes('PowerOffVM_Task'));
    assert.ok(!(await disabled()).includes('Destroy_Task'));
    await govc(...method('-name', 'Destroy_Task', '-enable=false'));
    assert.ok((await disabled()).includes('Destroy_Task'));
    await govc.refused(/disabled/, 'vm.destroy', vm);
    await govc.refused(/not correct: method/, ...method('-name', 'NoSuchMethod', '-enable=false'));
    await govc.refused(/not found/, 'object.method', '-name', 'Destroy_Task', '-enable=false', '/DC0/vm/none');
    await govc(...method('-name', 'Destroy_Task'));
    assert.ok(!(await disabled()).includes('Destroy_Task'));
    await govc('object.reload', vm);
    await govc('vm.power', '-on', vm);
    assert.match(
      await govc('object.collect', '-s', 'host/DC0_C0/DC0_C0_H0', 'disabledMethod'),
      /ExitMaintenanceMode_Task/,
    );
  });

  test('what is not built is refused in words', async () => {
    const vm = ['-vm', 'DC0_H0_VM0'];
    const login = [...vm, '-l', 'root:x'];
    for (const command of [
      ...['ls', 'mkdir', 'rmdir', 'rm', 'touch'].map((verb) => [`guest.${verb}`, ...login, '/tmp/x']),
      ['guest.run', ...login, '/bin/ls'],
      ['guest.getenv', ...login],
      ['guest.upload', ...login, '/etc/hostname', '/tmp/x'],
      ['guest.download', ...login, '/etc/hostname', '-'],
      ['snapshot.remove', ...vm, '*'],
      ['snapshot.revert', ...vm],
      ['vm.instantclone', ...vm, 'copy'],
      ['vm.markastemplate', 'DC0_H0_VM0'],
      ['vm.customize', ...vm, 'spec'],
      ['vm.guest.tools', '-mount', 'DC0_H0_VM0'],
      ['export.ovf', ...vm, '/nowhere'],
      ['datastore.maintenance.enter', '-ds', 'LocalDS_0'],
      ['disk.ls'],
    ]) {
      await govc.refused(/not supported/, ...(command as [string, ...string[]]));
    }
    assert.deepEqual(lines(await govc('snapshot.tree', ...vm)), []);
  });
});
