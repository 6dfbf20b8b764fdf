import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isA,
  isFault,
  MethodFault,
  make,
  moRef,
  type OvfCreateImportSpecResult,
  type VirtualDisk,
} from '@vivarium/vim';
import fc from 'fast-check';
import { ovfContext } from '../nfc/publish-imports.ts';
import { makeApi } from '../virtual-disk-manager/fixtures.ts';
import { parseOvf, unitBytes } from './ovf-envelope.ts';
import { ovfManagerHandlers } from './ovf-manager.ts';

const item = (type: number, id: number, more: string) =>
  `<Item><rasd:ElementName>item ${id}</rasd:ElementName><rasd:InstanceID>${id}</rasd:InstanceID>` +
  `<rasd:ResourceType>${type}</rasd:ResourceType>${more}</Item>`;

const cpu = item(3, 1, '<rasd:VirtualQuantity>2</rasd:VirtualQuantity>');
const memory = item(
  4,
  2,
  '<rasd:AllocationUnits>byte * 2^30</rasd:AllocationUnits><rasd:VirtualQuantity>1</rasd:VirtualQuantity>',
);
const scsi = item(6, 3, '<rasd:Address>0</rasd:Address><rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>');
const disk = item(
  17,
  4,
  '<rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:Parent>3</rasd:Parent><rasd:HostResource>ovf:/disk/d1</rasd:HostResource>',
);
const nic = item(
  10,
  5,
  '<rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType><rasd:Connection>outside</rasd:Connection>',
);
const ide = item(5, 6, '<rasd:Address>1</rasd:Address>');
const cdrom = item(15, 7, '<rasd:Parent>6</rasd:Parent><rasd:AddressOnParent>1</rasd:AddressOnParent>');

const ovf = (items: string, system = 'ovf:id="appliance"') => `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
 xmlns:vmw="http://www.vmware.com/schema/ovf" xmlns:vssd="urn:vssd">
<References><File ovf:href="disk1.vmdk" ovf:id="f1" ovf:size="4096"/></References>
<DiskSection><Info/><Disk ovf:capacity="8" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="d1" ovf:fileRef="f1" ovf:format="x"/></DiskSection>
<VirtualSystem ${system}><Info/><OperatingSystemSection ovf:id="100" vmw:osType="other26xLinux64Guest"><Info/></OperatingSystemSection>
<VirtualHardwareSection><Info/><System><vssd:VirtualSystemType>vmx-13</vssd:VirtualSystemType></System>${items}</VirtualHardwareSection>
</VirtualSystem></Envelope>`;

async function createImportSpec(descriptor: string, params: { diskProvisioning?: string; entityName?: string } = {}) {
  await using host = await makeApi();
  host.graph.add(moRef('Network', 'HaNetwork-VM Network'), { name: 'VM Network' });
  const datastore = host.datastores.find('datastore1')?.ref;
  assert.ok(datastore);
  const handlers = ovfManagerHandlers(ovfContext(host.graph, host.datastores));
  const cisp = make('OvfCreateImportSpecParams', { locale: '', deploymentOption: '', entityName: '', ...params });
  const args = { ovfDescriptor: descriptor, resourcePool: moRef('ResourcePool', 'ha-root-pool'), datastore, cisp };
  return (await handlers.CreateImportSpec?.(args, host.call)) as OvfCreateImportSpecResult;
}

void test('a descriptor becomes the specification of a VM and a list of files', async () => {
  const result = await createImportSpec(ovf(cpu + memory + scsi + disk + nic + ide + cdrom), { entityName: 'web' });
  assert.equal(result.error, undefined);
  assert.ok(isA('VirtualMachineImportSpec', result.importSpec));
  const { configSpec } = result.importSpec;
  assert.deepEqual(
    [
      configSpec.name,
      configSpec.numCPUs,
      configSpec.memoryMB,
      configSpec.guestId,
      configSpec.version,
      configSpec.files?.vmPathName,
    ],
    ['web', 2, 1024, 'other26xLinux64Guest', 'vmx-13', '[datastore1]'],
  );
  const devices = configSpec.deviceChange?.map(({ device }) => device) ?? [];
  assert.deepEqual(
    devices.map(({ _typeName }) => _typeName),
    ['ParaVirtualSCSIController', 'VirtualIDEController', 'VirtualDisk', 'VirtualVmxnet3', 'VirtualCdrom'],
  );
  const made = devices[2] as VirtualDisk;
  assert.equal(made.capacityInBytes, 8 << 20);
  assert.equal(made.controllerKey, devices[0]?.key);
  assert.deepEqual(result.fileItem, [
    {
      _typeName: 'OvfFileItem',
      deviceId: '/web/ParaVirtualSCSIController0:0',
      path: 'disk1.vmdk',
      size: 4096,
      cimType: 17,
      create: false,
    },
  ]);
});

void test('provisioning is as asked for', async () => {
  const backing = async (diskProvisioning: string) => {
    const result = await createImportSpec(ovf(scsi + disk), { diskProvisioning });
    assert.ok(isA('VirtualMachineImportSpec', result.importSpec));
    const device = result.importSpec.configSpec.deviceChange?.[1]?.device;
    return isA('VirtualDiskFlatVer2BackingInfo', device?.backing) ? device.backing : undefined;
  };
  assert.equal((await backing('thin'))?.thinProvisioned, true);
  assert.equal((await backing('thick'))?.thinProvisioned, false);
  assert.equal((await backing('eagerZeroedThick'))?.eagerlyScrub, true);
  const result = await createImportSpec(ovf(scsi + disk), { diskProvisioning: 'seSparse' });
  assert.equal(result.error?.[0]?.fault._typeName, 'OvfUnsupportedDiskProvisioning');
});

void test('what cannot be imported is named in the answer', async () => {
  const table: readonly (readonly [string, string])[] = [
    ['', 'OvfXmlFormat'],
    ['<Envelope', 'OvfXmlFormat'],
    ['<!DOCTYPE x [<!ENTITY a "b">]><Envelope>&a;</Envelope>', 'OvfXmlFormat'],
    [`<Envelope>${'<a>'.repeat(100)}`, 'OvfXmlFormat'],
    ['<Other/>', 'OvfMissingElement'],
    ['<Envelope/>', 'OvfMissingElement'],
    [ovf('', ''), 'OvfMissingAttribute'],
    [ovf(disk), 'OvfElementInvalidValue'],
    [ovf(scsi + disk.replace('disk/d1', 'disk/d2')), 'OvfElementInvalidValue'],
    [ovf(scsi.replace('VirtualSCSI', 'AdvancedSCSI')), 'OvfUnsupportedSubType'],
    [ovf(item(99, 9, '')), 'OvfUnsupportedType'],
    [ovf(item(3, 1, '<rasd:VirtualQuantity>-1</rasd:VirtualQuantity>')), 'OvfInvalidValue'],
    [ovf('').replace('capacity="8"', 'capacity="1e400"'), 'OvfInvalidValue'],
    [ovf('').replace('2^20', '2^999'), 'OvfInvalidValue'],
  ];
  for (const [text, fault] of table) {
    const result = await createImportSpec(text);
    assert.equal(result.error?.[0]?.fault._typeName, fault, text.slice(-200));
    assert.equal(result.importSpec, undefined);
  }
});

void test('things that a VM can do without are left out with a warning', async () => {
  const result = await createImportSpec(ovf(item(99, 9, '').replace('<Item>', '<Item ovf:required="false">')));
  assert.equal(result.warning?.[0]?.fault._typeName, 'OvfUnsupportedType');
  assert.ok(result.importSpec);
});

void test('any text is read or refused as a descriptor', () => {
  const whole = ovf(cpu + memory + scsi + disk + nic);
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(200), fc.string(), (at, length, text) => {
      try {
        parseOvf(whole.slice(0, at) + text + whole.slice(at + length));
      } catch (error) {
        assert.ok(error instanceof MethodFault && isFault(error, 'OvfInvalidPackage'), String(error));
      }
    }),
  );
});

void test('units of capacity', () => {
  assert.equal(unitBytes('byte * 2^20'), 2 ** 20);
  assert.equal(unitBytes('byte*10'), 10);
  assert.equal(unitBytes('MegaBytes'), 2 ** 20);
  assert.equal(unitBytes('byte'), 1);
  assert.equal(unitBytes('furlong'), undefined);
});
