import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schema } from '@vivarium/vim';
import type { TypeOf } from '../shape.ts';
import { VapiError } from '../vapi-error.ts';
import { guestIdOf, guestOsOf } from './guest-os.ts';
import type { createSpec } from './vm-create-shapes.ts';
import { configSpecOf } from './vm-create-spec.ts';

type Spec = TypeOf<typeof createSpec>;

const NETWORKS = {
  find: (id: string) =>
    ({
      'network-13': { name: 'VM Network', switchUuid: undefined },
      'dvportgroup-14': { name: 'DVPG', switchUuid: '50 01' },
    })[id],
};

const specOf = (spec: Omit<Spec, 'guest_OS'>) => configSpecOf({ guest_OS: 'DEBIAN_12_64', ...spec }, 'ds1', NETWORKS);
const devicesOf = (spec: Omit<Spec, 'guest_OS'>) =>
  (specOf(spec).deviceChange ?? []).map(({ device, fileOperation }) => {
    const { _typeName, key, controllerKey, unitNumber, busNumber } = device as unknown as Record<string, unknown>;
    return [_typeName, key, busNumber, controllerKey, unitNumber, fileOperation].filter((one) => one !== undefined);
  });

void test('guests have the same letters in both names, there and back', () => {
  for (const guestId of schema.enumValues('VirtualMachineGuestOsIdentifier') ?? [])
    assert.equal(guestIdOf(guestOsOf(guestId)), guestId);
  assert.equal(guestOsOf('windows2019srv_64Guest'), 'WINDOWS_SERVER_2019');
  assert.equal(guestOsOf('haikuGuest'), 'OTHER');
});

void test('what is not said is left to the host', () => {
  assert.deepEqual(specOf({ disks: [] }), {
    _typeName: 'VirtualMachineConfigSpec',
    name: 'DEBIAN_12_64',
    guestId: 'debian12_64Guest',
    files: { _typeName: 'VirtualMachineFileInfo', vmPathName: '[ds1]' },
    deviceChange: [],
  });
});

void test('processors, memory, firmware and boot options go where vim25 has them', () => {
  const spec = specOf({
    name: 'web',
    hardware_version: 'VMX_21',
    cpu: { count: 4, cores_per_socket: 2, hot_add_enabled: true },
    memory: { size_MiB: 2048, hot_add_enabled: true },
    boot: {
      type: 'EFI',
      delay: 1000,
      retry: true,
      retry_delay: 5000,
      enter_setup_mode: true,
      network_protocol: 'IPV6',
    },
    disks: [],
  });
  const { name, version, numCPUs, numCoresPerSocket, memoryMB, firmware, bootOptions, memoryHotAddEnabled } = spec;
  assert.deepEqual(
    [name, version, numCPUs, numCoresPerSocket, memoryMB, firmware, memoryHotAddEnabled],
    ['web', 'vmx-21', 4, 2, 2048, 'efi', true],
  );
  assert.deepEqual(bootOptions, {
    _typeName: 'VirtualMachineBootOptions',
    bootDelay: 1000,
    bootRetryEnabled: true,
    bootRetryDelay: 5000,
    enterBIOSSetup: true,
    networkBootProtocol: 'ipv6',
  });
});

void test('without disks there is one blank one; adapters come before what needs them', () => {
  assert.deepEqual(devicesOf({}), [
    ['ParaVirtualSCSIController', -1, 0],
    ['VirtualDisk', -2, -1, 0, 'create'],
  ]);
  assert.deepEqual(
    devicesOf({
      scsi_adapters: [{ type: 'LSILOGIC', bus: 1 }, {}],
      disks: [
        { new_vmdk: { capacity: 2 ** 30 } },
        { scsi: { bus: 1, unit: 3 }, backing: { type: 'VMDK_FILE', vmdk_file: '[ds1] a/a.vmdk' } },
        { type: 'SATA', new_vmdk: {} },
        { type: 'NVME', nvme: { bus: 2 }, new_vmdk: {} },
        { type: 'IDE', ide: { primary: false, master: true }, new_vmdk: {} },
      ],
      cdroms: [{}, { type: 'SATA', backing: { type: 'ISO_FILE', iso_file: '[ds1] a.iso' } }],
    }),
    [
      ['VirtualLsiLogicController', -1, 1],
      ['ParaVirtualSCSIController', -2, 0],
      ['VirtualDisk', -3, -2, 0, 'create'],
      ['VirtualDisk', -4, -1, 3],
      ['VirtualAHCIController', -5, 0],
      ['VirtualDisk', -6, -5, 0, 'create'],
      ['VirtualNVMEController', -7, 2],
      ['VirtualDisk', -8, -7, 0, 'create'],
      ['VirtualDisk', -9, 201, 0, 'create'],
      ['VirtualCdrom', -10, 200, 0],
      ['VirtualCdrom', -11, -5, 1],
    ],
  );
});

void test('the SCSI adapter takes unit 7 for itself', () => {
  const disks = Array.from({ length: 9 }, () => ({ new_vmdk: { capacity: 1024 } }));
  const units = (specOf({ disks }).deviceChange ?? []).map(({ device }) => device.unitNumber);
  assert.deepEqual(units, [undefined, 0, 1, 2, 3, 4, 5, 6, 8, 9]);
});

void test('adapters to standard and distributed networks', () => {
  const [standard, distributed] = (
    specOf({
      disks: [],
      nics: [
        { backing: { type: 'STANDARD_PORTGROUP', network: 'network-13' }, start_connected: true },
        {
          type: 'E1000E',
          mac_type: 'MANUAL',
          mac_address: '00:50:56:00:00:09',
          backing: { type: 'DISTRIBUTED_PORTGROUP', network: 'dvportgroup-14' },
        },
      ],
    }).deviceChange ?? []
  ).map(({ device }) => device as unknown as Record<string, Record<string, unknown>>);
  assert.equal(standard?.['_typeName'], 'VirtualVmxnet3');
  assert.deepEqual(standard['backing'], {
    _typeName: 'VirtualEthernetCardNetworkBackingInfo',
    deviceName: 'VM Network',
    network: { type: 'Network', value: 'network-13' },
  });
  assert.equal(standard['addressType'], 'assigned');
  assert.equal(distributed?.['_typeName'], 'VirtualE1000e');
  assert.deepEqual((distributed['backing'] as Record<string, unknown>)['port'], {
    _typeName: 'DistributedVirtualSwitchPortConnection',
    switchUuid: '50 01',
    portgroupKey: 'dvportgroup-14',
  });
});

void test('specifications that contradict themselves are refused', () => {
  const disk = { new_vmdk: { capacity: 1024 } };
  const refused: readonly Omit<Spec, 'guest_OS'>[] = [
    { disks: [{}] },
    { disks: [{ ...disk, backing: { type: 'VMDK_FILE', vmdk_file: '[ds1] a.vmdk' } }] },
    { disks: [{ backing: { type: 'VMDK_FILE' } }] },
    { disks: [{ new_vmdk: { name: 'data' } }] },
    { disks: [{ ...disk, scsi: { bus: 0, unit: 7 } }] },
    { disks: [{ ...disk, scsi: { bus: 0, unit: 16 } }] },
    {
      disks: [
        { ...disk, scsi: { bus: 0, unit: 1 } },
        { ...disk, scsi: { bus: 0, unit: 1 } },
      ],
    },
    { disks: Array.from({ length: 5 }, () => ({ ...disk, type: 'IDE' as const })) },
    { scsi_adapters: [{ bus: 0 }, { bus: 0 }] },
    { cdroms: [{ backing: { type: 'ISO_FILE' } }] },
    { nics: [{}] },
    { nics: [{ backing: { type: 'STANDARD_PORTGROUP', network: 'network-99' } }] },
    { nics: [{ backing: { type: 'DISTRIBUTED_PORTGROUP', network: 'network-13' } }] },
    { nics: [{ mac_type: 'MANUAL', backing: { type: 'STANDARD_PORTGROUP', network: 'network-13' } }] },
  ];
  for (const spec of refused)
    assert.throws(
      () => specOf(spec),
      (error) => error instanceof VapiError && error.type === 'invalid_argument',
      JSON.stringify(spec),
    );
});
