// govc imports disks and appliances into the simulator: leases, uploads, and what is refused.
import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { run } from '../testing/run.ts';
import { makeStreamVmdk } from '../testing/stream-vmdk.ts';
import { useLabSim } from '../testing/use-lab-sim.ts';

const ITEM = 'rasd:ElementName';
const item = (id: number, type: number, more: string) =>
  `<Item><${ITEM}>${id}</${ITEM}><rasd:InstanceID>${id}</rasd:InstanceID><rasd:ResourceType>${type}</rasd:ResourceType>${more}</Item>`;
const OVF = `<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
<References><File ovf:href="stream.vmdk" ovf:id="f1"/></References>
<DiskSection><Info/><Disk ovf:capacity="4" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="d1" ovf:fileRef="f1"
 ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>
<NetworkSection><Info/><Network ovf:name="VM Network"><Description/></Network></NetworkSection>
<VirtualSystem ovf:id="app"><Info/><OperatingSystemSection ovf:id="100"><Info/></OperatingSystemSection>
<VirtualHardwareSection><Info/>
${item(1, 3, '<rasd:VirtualQuantity>2</rasd:VirtualQuantity>')}
${item(2, 4, '<rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:VirtualQuantity>64</rasd:VirtualQuantity>')}
${item(3, 6, '<rasd:Address>0</rasd:Address><rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>')}
${item(4, 17, '<rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:Parent>3</rasd:Parent><rasd:HostResource>ovf:/disk/d1</rasd:HostResource>')}
${item(5, 10, '<rasd:Connection>VM Network</rasd:Connection><rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType>')}
</VirtualHardwareSection></VirtualSystem></Envelope>`;

for (const flags of [[], ['-tls=false']])
  describe(`govc imports into the simulator ${flags.join('')}`, { skip: withoutGovc }, () => {
    const lab = useLabSim(...flags);
    const govc = useGovc(lab, { GOVC_DATACENTER: 'DC0' });
    const at = ['-ds', 'LocalDS_0', '-pool', 'DC0_C0/Resources', '-folder', '/DC0/vm'];
    let folder = '';
    let stream = '';

    before(async () => {
      folder = join(lab().stateDir, 'app');
      await mkdir(folder);
      stream = await makeStreamVmdk(folder);
      await writeFile(join(folder, 'app.ovf'), OVF);
    });

    test('import.vmdk leaves a disk that a VM can have, and no VM', async () => {
      const before = await govc('find', '/', '-type', 'm');
      await govc('import.vmdk', ...at, stream, 'imported');
      assert.deepEqual(lines(await govc('datastore.ls', 'imported')), ['stream.vmdk']);
      assert.match(await govc('datastore.disk.info', 'imported/stream.vmdk'), /Type: +thin/);
      assert.equal(await govc('find', '/', '-type', 'm'), before);
      const disk = ['-disk', 'imported/stream.vmdk', '-link=false'];
      await govc('vm.create', '-on=false', '-m', '64', '-host', 'DC0_H0', '-net', 'DC0_DVPG0', ...disk, 'importer');
      assert.match(await govc('device.info', '-vm', 'importer', 'disk-*'), /Summary: +4,096 KB/);
      await govc.refused(/streamOptimized|EOF/, 'import.vmdk', ...at, join(folder, 'raw'), 'never');
      assert.doesNotMatch(await govc('datastore.ls'), /never/);
    });

    test('import.ovf and import.ova make a VM where they are told', async () => {
      const ovf = join(folder, 'app.ovf');
      assert.match(await govc('import.spec', ovf), /"Name": "VM Network"/);
      await govc('import.ovf', ...at, '-name', 'app', ovf);
      assert.match(await govc('vm.info', 'app'), /Path: +\/DC0\/vm\/app\n[\s\S]*CPU: +2 vCPU/);
      assert.match(await govc('device.info', '-vm', 'app', 'disk-*'), /Summary: +4,096 KB/);
      await govc.refused(/'app' already exists/, 'import.ovf', ...at, '-name', 'app', ovf);
      await run('tar', ['-C', folder, '-cf', join(folder, 'app.ova'), 'app.ovf', 'stream.vmdk']);
      await govc('import.ova', '-ds', 'LocalDS_0', '-host', 'DC0_H0', '-name', 'fromova', join(folder, 'app.ova'));
      assert.match(await govc('vm.info', '-r', 'fromova'), /Host: +DC0_H0\n/);
      await govc('vm.power', '-on', 'fromova');
      await govc('vm.destroy', 'fromova', 'app');
    });

    test('a disk that is none ends the import, and the VM is gone', async () => {
      const broken = join(lab().stateDir, 'broken');
      await mkdir(broken);
      await copyFile(join(folder, 'app.ovf'), join(broken, 'app.ovf'));
      await writeFile(join(broken, 'stream.vmdk'), Buffer.alloc(4096, 'x'));
      await govc.refused(/./, 'import.ovf', ...at, '-name', 'broken', join(broken, 'app.ovf'));
      await govc('session.logout'); // ends what this session has under way
      assert.equal(await govc('vm.info', 'broken'), '');
    });
  });
