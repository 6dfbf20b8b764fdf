import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schema } from '@vivarium/vim';
import { guestOfVmxName, guestOperatingSystems } from '../guest/guest-os.ts';
import { configOptionDescriptors, virtualMachineConfigOption } from './config-option.ts';

const limits = { numCPUs: 16, memoryMB: 65_536 };

void test("the guest table holds the schema's guests, each VMX name once", () => {
  const known = new Set(schema.enumValues('VirtualMachineGuestOsIdentifier'));
  for (const { guestId } of guestOperatingSystems) assert.ok(known.has(guestId), guestId);
  const missing = [...known].filter(
    (id) => !id.startsWith('crx') && !guestOperatingSystems.some(({ guestId }) => guestId === id),
  );
  assert.deepEqual(missing, []);
  assert.equal(new Set(guestOperatingSystems.map(({ vmxName }) => vmxName)).size, guestOperatingSystems.length);
});

void test('VMX guest names are understood, unknown ones by their width', () => {
  const id = (name: string) => guestOfVmxName(name).guestId;
  assert.deepEqual(
    [
      'Ubuntu-64',
      'rhel9-64',
      'windows2019srvnext-64',
      'other3xlinux-64',
      'vmware-photon-64',
      'winxppro',
      'arm-plan9-64',
      'plan9',
    ].map(id),
    [
      'ubuntu64Guest',
      'rhel9_64Guest',
      'windows2019srvNext_64Guest',
      'other3xLinux64Guest',
      'vmwarePhoton64Guest',
      'winXPProGuest',
      'otherGuest64',
      'otherGuest',
    ],
  );
});

void test('the default option is vmx-21 and recommends what suits the guest', () => {
  const option = virtualMachineConfigOption(undefined, limits);
  assert.equal(option?.version, 'vmx-21');
  assert.equal(option?.hardwareOptions.hwVersion, 21);
  const guest = option?.guestOSDescriptor.find(({ id }) => id === 'ubuntu64Guest');
  assert.deepEqual(
    [
      guest?.recommendedDiskController,
      guest?.recommendedEthernetCard,
      guest?.recommendedMemMB,
      guest?.recommendedFirmware,
    ],
    ['ParaVirtualSCSIController', 'VirtualVmxnet3', 2048, 'efi'],
  );
  assert.equal(option?.guestOSDescriptor[option.guestOSDefaultIndex]?.id, 'otherGuest64');
  for (const { type } of option?.hardwareOptions.virtualDeviceOption ?? [])
    assert.ok(schema.isSubtype(type, 'VirtualDevice'), type);
  for (const descriptor of option?.guestOSDescriptor ?? []) {
    assert.ok(descriptor.supportedDiskControllerList.includes(descriptor.recommendedDiskController), descriptor.id);
    assert.ok(descriptor.supportedEthernetCard.includes(descriptor.recommendedEthernetCard ?? ''), descriptor.id);
  }
});

void test('every version that is described can be queried, others cannot', () => {
  for (const { key } of configOptionDescriptors()) assert.equal(virtualMachineConfigOption(key, limits)?.version, key);
  assert.equal(configOptionDescriptors().filter(({ defaultConfigOption }) => defaultConfigOption).length, 1);
  assert.equal(virtualMachineConfigOption('vmx-99', limits), undefined);
});
