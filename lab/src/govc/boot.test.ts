// vm.create with every controller and adapter that govc offers: the guest boots from linked copies of one disk and tells its
// address. What is not emulated is refused by name.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Properties } from '@vivarium/vim';
import { useLabHost } from '../testing/use-lab-host.ts';
import { waitFor } from '../testing/wait-for.ts';
import { useGovc, withoutGovc } from './use-govc.ts';

const BASE = 'demo/demo.vmdk';
const WAIT = '120s';

/** Two at a time: emulated guests share few cores. */
const pairs = [
  [
    { controller: 'lsilogic', adapter: 'e1000', device: 'lsilogic-1000' },
    { controller: 'pvscsi', adapter: 'vmxnet3', device: 'pvscsi-1000' },
  ],
  [
    { controller: 'lsilogic-sas', adapter: 'e1000e', device: 'lsilogic-sas-1000' },
    { controller: 'nvme', adapter: 'vmxnet3', device: 'nvme-31000' },
  ],
  [
    { controller: 'ide', adapter: 'pcnet32', device: 'ide-200' },
    { controller: 'buslogic', adapter: 'e1000', device: 'disk-1000-0' },
  ],
] as const;

describe('govc vm.create', { skip: withoutGovc }, () => {
  const host = useLabHost();
  const govc = useGovc(host);
  const powerState = async (name: string) =>
    (await govc('object.collect', '-s', `vm/${name}`, 'runtime.powerState')).trim();

  test('a guest shuts down to become the base of others', async () => {
    await govc('vm.power', '-s', 'demo');
    await waitFor('the guest to be down', async () => (await powerState('demo')) === 'poweredOff');
  });

  for (const pair of pairs) {
    const names = pair.map(({ controller, adapter }) => `${controller} with ${adapter}`).join(', ');
    test(`a guest boots from ${names}`, async () => {
      for (const { controller, adapter } of pair) {
        const hardware = ['-disk.controller', controller, '-net.adapter', adapter];
        await govc('vm.create', '-m', '256', '-g', 'debian12_64Guest', '-disk', BASE, ...hardware, controller);
      }
      for (const { controller, device } of pair) {
        assert.match(await govc('vm.ip', '-wait', WAIT, controller), /^\d+\.\d+\.\d+\.\d+$/m, controller);
        assert.match(await govc('device.ls', '-vm', controller), new RegExp(`^${device} `, 'm'));
        assert.match(
          await govc('device.info', '-vm', controller, 'disk-*'),
          /Parent: +\[datastore1\] demo\/demo\.vmdk/,
        );
      }
      // Its disk is the base of guests that run.
      await govc.refused(/lock|in use/i, 'vm.power', '-on', 'demo');
      await govc('vm.destroy', ...pair.map(({ controller }) => controller));
    });
  }

  test('a guest boots by UEFI, with a disk of its own', async () => {
    await govc('datastore.mkdir', 'efi');
    await govc('datastore.cp', BASE, 'efi/own.vmdk');
    const hardware = ['-firmware', 'efi', '-m', '512', '-c', '2', '-version', '8.0', '-net.adapter', 'vmxnet3'];
    const disk = ['-disk', 'efi/own.vmdk', '-link=false', '-disk.controller', 'nvme'];
    await govc('vm.create', ...hardware, ...disk, '-annotation', 'by UEFI', 'uefi');
    assert.match(await govc('vm.ip', '-wait', WAIT, 'uefi'), /^\d/);
    const { virtualMachines } = await govc.json<{ virtualMachines: Properties<'VirtualMachine'>[] }>('vm.info', 'uefi');
    const { config } = virtualMachines[0] ?? {};
    assert.equal(config?.firmware, 'efi');
    assert.equal(config?.version, 'vmx-20');
    assert.equal(config?.annotation, 'by UEFI');
    assert.equal(config?.hardware.numCPU, 2);
    assert.equal(config?.hardware.memoryMB, 512);
    await govc('vm.destroy', 'uefi');
    assert.equal((await govc('datastore.ls', 'efi')).trim(), '', 'a disk that a VM holds goes with it');
  });

  test('an ISO, the default controller, and a network address', async () => {
    await govc.input('an image', 'datastore.upload', '-', 'cd.iso');
    const address = '00:50:56:12:34:56';
    await govc('vm.create', '-on=false', '-iso', 'cd.iso', '-disk', '16MB', '-net.address', address, 'plain');
    assert.match(await govc('device.info', '-vm', 'plain', 'cdrom-*'), /Summary: +ISO \[datastore1\] cd\.iso/);
    assert.match(await govc('device.info', '-vm', 'plain', 'ethernet-0'), new RegExp(`MAC Address: +${address}`));
    assert.match(await govc('device.ls', '-vm', 'plain'), /^lsilogic-1000 /m);
    await govc.refused(/already exists/, 'vm.create', '-on=false', 'plain');
    await govc.refused(/'plain' already exists/, 'vm.create', '-on=false', '-force', 'plain');
    await govc('vm.destroy', 'plain');
  });

  test('what cannot be is refused, and leaves nothing', async () => {
    const before = [await govc('ls', 'vm'), await govc('datastore.ls')];
    const refusals: [RegExp, ...string[]][] = [
      [/not supported/, '-net.adapter', 'vmxnet2'],
      [/not supported/, '-net.adapter', 'sriov'],
      [/not supported/, '-net.adapter', 'vmxnet3vrdma'],
      [/guestId/, '-g', 'noSuchGuest'],
      [/numCPUs/, '-c', '4096'],
      [/memoryMB/, '-m', '3'],
      [/network 'nowhere' not found/, '-net', 'nowhere'],
      [/datastore 'nowhere' not found/, '-ds', 'nowhere'],
      [/No such (file|directory)/, '-disk', 'no/such.vmdk'],
      [/No such file/, '-disk', 'demo/such.vmdk'],
      [/configSpec\.version/, '-version', '99'],
      [/not correct|invalid/i, '-net.address', 'no-address'],
    ];
    for (const [says, ...options] of refusals) await govc.refused(says, 'vm.create', '-on=false', ...options, 'never');
    await govc.refused(/exceeds|too long|name/i, 'vm.create', '-on=false', 'n'.repeat(300));
    assert.deepEqual([await govc('ls', 'vm'), await govc('datastore.ls')], before);
  });
});
