// vApps by an unmodified govc, against the simulator's -app. Against hosts that do real work they are in cluster.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { useLabSim } from '../testing/use-lab-sim.ts';

const APP = '/DC0/host/DC0_C0/Resources/DC0_C0_APP0';

describe('govc vapp', { skip: withoutGovc }, () => {
  const govc = useGovc(useLabSim('-app', '2'), { GOVC_DATACENTER: 'DC0' });
  const property = async (path: string, name: string) => (await govc('object.collect', '-s', path, name)).trim();

  test("vApps have vcsim's names, and their VMs lie in them", async () => {
    assert.deepEqual(lines(await govc('find', '/', '-type', 'a')), [APP, APP.replace('APP0', 'APP1')]);
    const vms = [`${APP}/DC0_C0_APP0_VM0`, `${APP}/DC0_C0_APP0_VM1`];
    assert.deepEqual(lines(await govc('ls', APP)).sort(), vms);
    assert.ok(lines(await govc('ls', '/DC0/vm')).includes('/DC0/vm/DC0_C0_APP0'));
    assert.equal(lines(await govc('find', '/', '-type', 'm')).length, 8);
    assert.match(await govc('vm.info', 'DC0_C0_APP0_VM0'), /Power state: +poweredOn/);
  });

  test('power: off, on, suspended, each once', async () => {
    const state = () => property(APP, 'summary.vAppState');
    assert.equal(await state(), 'started');
    await govc.refused(/power/i, 'vapp.power', '-on', 'DC0_C0_APP0');
    await govc('vapp.power', '-off', 'DC0_C0_APP0');
    assert.equal(await state(), 'stopped');
    assert.equal(await property(`${APP}/DC0_C0_APP0_VM1`, 'runtime.powerState'), 'poweredOff');
    await govc('vapp.power', '-on', 'DC0_C0_APP0');
    await govc('vapp.power', '-suspend', 'DC0_C0_APP0');
    assert.deepEqual([await state(), await property(APP, 'summary.suspended')], ['stopped', 'true']);
    await govc('vapp.power', '-on', 'DC0_C0_APP0');
    assert.match(await govc('tasks', APP), /PowerOnVApp +DC0_C0_APP0 .*success/);
  });

  test('pool.info and pool.change take a vApp, and VMs are made in it', async () => {
    await govc('pool.change', '-mem.limit', '4096', APP);
    assert.match(await govc('pool.info', '-a', APP), /Mem Limit: +4096MB/);
    await govc(
      'vm.create',
      '-m',
      '64',
      '-on=false',
      '-ds',
      'LocalDS_0',
      '-net',
      'DC0_DVPG0',
      '-force',
      '-pool',
      APP,
      'web',
    );
    assert.equal(lines(await govc('ls', APP)).length, 3);
    assert.match(await govc('vm.info', `${APP}/web`), /Power state: +poweredOff/);
  });

  test('destroyed with its VMs', async () => {
    await govc('vapp.power', '-off', '-force', 'DC0_C0_APP0');
    await govc('vapp.destroy', APP);
    assert.equal(lines(await govc('find', '/', '-type', 'a')).length, 1);
    assert.equal(lines(await govc('find', '/', '-type', 'm', '-name', '*_APP0_*')).length, 0);
  });
});
