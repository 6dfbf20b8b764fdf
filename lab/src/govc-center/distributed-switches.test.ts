// govc's dvs.* family and network cards on distributed port groups, against a simulated vCenter.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { useLabSim } from '../testing/use-lab-sim.ts';

const POOL = '/DC0/host/DC0_C0/Resources';

describe('govc dvs', { skip: withoutGovc }, () => {
  const govc = useGovc(useLabSim());
  const networkOf = async (vm: string) => (await govc('vm.info', '-r', vm)).match(/Network: +(.*)/)?.[1];

  void test("the switch and the port group of vcsim's names are there, with all VMs on it", async () => {
    const names = lines(await govc('ls', '/DC0/network')).sort();
    assert.equal(names.length, 4);
    for (const name of ['DC0_DVPG0', 'DVS0', 'VM Network']) assert.ok(names.includes(`/DC0/network/${name}`), name);
    assert.ok(names.some((name) => /^\/DC0\/network\/DVS0-DVUplinks-\d+$/.test(name)));
    for (const vm of ['DC0_H0_VM0', 'DC0_C0_RP0_VM1']) assert.equal(await networkOf(vm), 'DC0_DVPG0');
    assert.match(await govc('device.info', '-vm', 'DC0_H0_VM0', 'ethernet-0'), /Summary: +DVSwitch: [0-9a-f]{2} /);
  });

  void test('a switch gets hosts and port groups, is changed, and refuses VMs of other hosts', async () => {
    await govc('dvs.create', 'DVS1');
    await govc('dvs.add', '-dvs', 'DVS1', 'DC0_C0_H0', 'DC0_C0_H1');
    await govc('dvs.portgroup.add', '-dvs', 'DVS1', '-type', 'earlyBinding', '-nports', '3', '-vlan', '5', 'web');
    assert.equal((await govc('dvs.portgroup.info', '-pg', 'web', 'DVS1')).match(/VlanId: +5$/gm)?.length, 3);
    await govc('dvs.portgroup.change', '-vlan', '9', '-nports', '4', 'web');
    assert.equal((await govc('dvs.portgroup.info', '-pg', 'web', 'DVS1')).match(/VlanId: +9$/gm)?.length, 4);
    await govc('dvs.change', '-mtu', '9000', 'DVS1');
    assert.equal((await govc('object.collect', '-s', 'network/DVS1', 'config.maxMtu')).trim(), '9000');
    const create = ['vm.create', '-on=false', '-ds', 'LocalDS_0', '-net', 'web'];
    await govc(...create, '-pool', POOL, 'member');
    assert.equal(await networkOf('member'), 'web');
    assert.match(await govc('vm.info', 'member'), /Host: +DC0_C0_H[01]$/m);
    await govc.refused(/no port group/, ...create, '-host', 'DC0_C0_H2', 'stranger');
    await govc.refused(/in use/, 'object.destroy', '/DC0/network/web');
    await govc('vm.network.change', '-vm', 'member', '-net', 'DC0_DVPG0', 'ethernet-0');
    await govc('vm.network.add', '-vm', 'member', '-net', 'VM Network');
    assert.equal(await networkOf('member'), 'DC0_DVPG0, VM Network');
    await govc('object.destroy', '/DC0/network/web');
    await govc('object.destroy', '/DC0/network/DVS1');
    assert.equal(lines(await govc('ls', '/DC0/network')).length, 4);
  });
});
