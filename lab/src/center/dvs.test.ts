// A distributed switch over real hosts: its VLAN and its security are in the hosts' Open vSwitch, and a VM that runs is on it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import type { LabCenter } from '../testing/lab-center.ts';
import { useLabCenter } from '../testing/use-lab-center.ts';
import { needsRoot } from '../testing/use-lab-host.ts';
import { waitFor } from '../testing/wait-for.ts';

describe('a distributed switch over two hosts', { skip: needsRoot || withoutGovc }, () => {
  const lab = useLabCenter(2);
  const govc = useGovc(lab);

  test('a VM on a port group with a VLAN is tagged on its host, also after vCenter and its host were killed', async () => {
    await govc('dvs.create', 'DVS0');
    await addMembers(lab(), ['esx1.localhost', 'esx2.localhost']);
    await govc('dvs.portgroup.add', '-dvs', 'DVS0', '-type', 'earlyBinding', '-nports', '8', '-vlan', '42', 'web');
    assert.equal(
      lines(await govc('object.collect', '-s', 'network/web', 'host'))
        .join()
        .match(/host-/g)?.length,
      2,
    );
    assert.deepEqual(
      lines(await govc('ls', '/DC/network'))
        .map((path) => path.replace(/Uplinks-\d+$/, 'Uplinks-N'))
        .sort(),
      ['/DC/network/DVS0', '/DC/network/DVS0-DVUplinks-N', '/DC/network/VM Network', '/DC/network/web'],
    );
    await govc('vm.network.add', '-vm', 'demo', '-net', 'web', '-net.adapter', 'vmxnet3');
    assert.match(await govc('vm.info', '-r', 'demo'), /Network: +.*\bweb\b/);
    await govc.refused(/in use/, 'object.destroy', '/DC/network/web');
    const tags = async () =>
      (await portTags(join(lab().stateDir, 'esx1', 'network', 'db.sock'))).filter((tag) => tag > 0);
    assert.deepEqual(await tags(), [42]);
    await govc('dvs.portgroup.change', '-vlan', '43', 'web');
    assert.deepEqual(await tags(), [43]);
    await lab().kill('esx1');
    await govc('dvs.portgroup.change', '-vlan', '44', 'web');
    await lab().kill('vcenter');
    await lab().up();
    await waitFor('the host to be told what it missed', async () => (await tags()).join() === '44');
    assert.match(await govc('vm.info', '-r', 'demo'), /Network: +.*\bweb\b/);
  });
});

/** Without a physical NIC, which govc's dvs.add always names. */
async function addMembers(lab: LabCenter, names: readonly string[]): Promise<void> {
  await using client = await lab.connect();
  const { searchIndex } = await client.content();
  assert.ok(searchIndex);
  const dvs = await client.call(searchIndex, 'FindByInventoryPath', { inventoryPath: 'DC/network/DVS0' });
  const hosts = await Promise.all(
    names.map((name) => client.call(searchIndex, 'FindByInventoryPath', { inventoryPath: `DC/host/Cluster/${name}` })),
  );
  const host = hosts.map((ref) => ({
    _typeName: 'DistributedVirtualSwitchHostMemberConfigSpec',
    operation: 'add',
    host: ref,
  }));
  const spec = { _typeName: 'VMwareDVSConfigSpec', host };
  const task = await client.call(dvs as never, 'ReconfigureDvs_Task' as never, { spec } as never);
  await waitFor('the hosts to join', async () => {
    const info = (await client.get(task as never, 'info' as never)) as unknown as { state: string; error?: object };
    if (info.state === 'error') throw new Error(JSON.stringify(info.error));
    return info.state === 'success';
  });
}

/** VLAN tags of the ports of a host's switch, as its database has them (RFC 7047). */
async function portTags(socketPath: string): Promise<number[]> {
  const socket = connect(socketPath);
  const select = { op: 'select', table: 'Port', where: [], columns: ['tag'] };
  socket.write(JSON.stringify({ id: 1, method: 'transact', params: ['Open_vSwitch', select] }));
  let text = '';
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    text += chunk.toString();
    try {
      const { result } = JSON.parse(text) as { result: [{ rows: { tag: unknown }[] }] };
      socket.destroy();
      return result[0].rows.flatMap(({ tag }) => (typeof tag === 'number' ? [tag] : []));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // more is coming
    }
  }
}
