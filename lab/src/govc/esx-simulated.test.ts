// govc against `viv sim -esx`: the real hostd on a simulated machine, under the names that vcsim has for a host alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useLabEsx } from '../testing/use-lab-esx.ts';
import { lines, useGovc, withoutGovc } from './use-govc.ts';

describe('govc and viv sim -esx', { skip: withoutGovc }, () => {
  const govc = useGovc(useLabEsx('-vm', '1', '-ds', '2'));

  test('it is an ESXi host with the names of vcsim', async () => {
    assert.match(await govc('about'), /API type: +HostAgent\n[\s\S]*Product ID: +embeddedEsx\n/);
    const found = lines(await govc('find', '/'));
    for (const path of ['vm/ha-host_VM0', 'host/localhost.localdomain', 'datastore/LocalDS_0', 'datastore/LocalDS_1']) {
      assert.ok(found.includes(`/ha-datacenter/${path}`), path);
    }
    assert.deepEqual(lines(await govc('ls', 'network')), ['/ha-datacenter/network/VM Network']);
    assert.match(await govc('vm.ip', 'ha-host_VM0'), /^10\.\d+\.\d+\.\d+\n$/);
  });

  test('a VM is made, powered, changed and destroyed, with its files', async () => {
    await govc('vm.create', '-m', '64', '-ds', 'LocalDS_1', '-disk', '1G', '-on=false', 'web');
    const power = async (verb: string, ends: string) => {
      await govc('vm.power', verb, '-wait=false', 'web');
      await govc('object.collect', '-n', '1', '-wait', '20s', 'vm/web', '-runtime.powerState', ends);
    };
    await power('-on', 'poweredOn');
    await govc.refused(/current state \(Powered on\)/, 'vm.power', '-on', 'web');
    await power('-r', 'poweredOn');
    await power('-suspend', 'suspended');
    await power('-on', 'poweredOn');
    await power('-s', 'poweredOff');
    await govc('vm.change', '-vm', 'web', '-c', '2', '-e', 'guestinfo.x=y');
    assert.match(await govc('vm.info', '-e', 'web'), /CPU: +2 vCPU[\s\S]*guestinfo\.x: +y\n/);
    assert.ok(lines(await govc('datastore.ls', '-ds', 'LocalDS_1', 'web')).includes('web.vmx'));
    await govc('vm.destroy', 'web');
    assert.deepEqual(lines(await govc('datastore.ls', '-ds', 'LocalDS_1')), []);
  });

  test('files, switches and services are those of a host', async () => {
    await govc.input('hello\n', 'datastore.upload', '-ds', 'LocalDS_0', '-', 'note.txt');
    assert.equal(await govc('datastore.download', '-ds', 'LocalDS_0', 'note.txt', '-'), 'hello\n');
    await govc('datastore.disk.create', '-ds', 'LocalDS_0', '-size', '1G', 'a.vmdk');
    await govc('datastore.cp', '-ds', 'LocalDS_0', 'a.vmdk', 'b.vmdk');
    assert.match(await govc('datastore.disk.info', '-ds', 'LocalDS_0', 'b.vmdk'), /Type: +preallocated\n/);
    await govc('host.vswitch.add', 'vSwitch1');
    await govc('host.portgroup.add', '-vswitch', 'vSwitch1', 'web');
    assert.match(await govc('ls', 'network'), /network\/web\n/);
    await govc.refused(/already exists/, 'host.portgroup.add', '-vswitch', 'vSwitch1', 'web');
    assert.match(await govc('host.service.ls'), /ntpd +on +Running/);
    await govc.refused(/not supported/, 'snapshot.create', '-vm', 'ha-host_VM0', 'first');
  });
});
