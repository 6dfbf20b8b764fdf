import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '@vivarium/store';
import { type MoRef, moRef } from '@vivarium/vim';
import { newHostRecord } from '../host-system/add-host.ts';
import type { InventoryOp } from '../inventory/inventory.ts';
import { testCenter } from '../testing/test-center.ts';

/** vSphere's largest inventory. */
const HOSTS = 2500;
const PNICS = ['vmnic0', 'vmnic1', 'vmnic2', 'vmnic3'];

void test('a switch on all hosts of the largest inventory leaves a store room for twice as much', async (context) => {
  const center = await testCenter(context);
  const { datacenter, cluster } = await center.cluster();
  const { inventory } = center.center;
  const hosts = Array.from({ length: HOSTS }, (_, at): InventoryOp => {
    const name = `esx${at}`;
    const address = { address: name, port: 443 };
    const record = newHostRecord({ name, owner: cluster, ...address, uuid: name, isConnected: false });
    return { put: inventory.newRef('HostSystem'), record };
  });
  await inventory.exclusively(() => inventory.applySteps(hosts.map((op) => ({ ops: [op] }))));
  const refs = hosts.flatMap((op) => ('put' in op ? [op.put as MoRef] : []));
  const member = (host: MoRef) => ({
    operation: 'add',
    host,
    backing: {
      _typeName: 'DistributedVirtualSwitchHostMemberPnicBacking',
      pnicSpec: PNICS.map((pnicDevice) => ({ pnicDevice })),
    },
  });
  const configSpec = { _typeName: 'VMwareDVSConfigSpec', name: 'DVS0', host: refs.map(member) };
  const folder = center.read<MoRef>(datacenter as MoRef, 'networkFolder');
  const { value } = await center.task<MoRef>(folder, 'CreateDVS_Task', { spec: { configSpec } });
  const dvs = moRef('VmwareDistributedVirtualSwitch', value);
  const record = inventory.get(dvs);
  const uplink = inventory.get(record.portgroups[0] as MoRef<'DistributedVirtualPortgroup'>);
  assert.equal(record.members.length, HOSTS);
  assert.equal(uplink.portKeys.length, HOSTS * PNICS.length);
  const bytes = JSON.stringify(record).length + JSON.stringify(uplink).length; // they change together
  assert.ok(bytes < limits.bytes / 2, `${bytes} bytes`);
  await center.task(refs[7] as MoRef, 'Destroy_Task');
  const last = center.read<{ config: { host: MoRef }; uplinkPortKey: string[] }[]>(dvs as MoRef, 'config.host').at(-1);
  assert.deepEqual([last?.config.host, last?.uplinkPortKey.length], [refs.at(-1), PNICS.length]);
  assert.equal((await center.restart()).center.inventory.get(dvs).members.length, HOSTS - 1);
});
