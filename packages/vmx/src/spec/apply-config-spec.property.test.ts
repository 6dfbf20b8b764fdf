// Random sequences of specs: what is accepted always makes sense, what is refused is refused with a fault.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineArguments } from '@vivarium/qemu/machine';
import {
  MethodFault,
  make,
  type VirtualDevice,
  type VirtualDeviceConfigSpec,
  type VirtualMachineConfigInfo,
} from '@vivarium/vim';
import fc from 'fast-check';
import { configFromVmx } from '../config/config-from-vmx.ts';
import { vmxFromConfig } from '../config/vmx-from-config.ts';
import type { DiskFacts } from '../environment.ts';
import { add, cdrom, disk, edit, nic, remove, scsi, vmCreate } from '../fixtures/govc-specs.ts';
import { specEnvironment } from '../fixtures/test-spec-environment.ts';
import { surroundings } from '../fixtures/test-surroundings.ts';
import { connectForPowerOn } from '../machine/connections.ts';
import { machineFromConfig } from '../machine/machine-from-config.ts';
import { formatVmx } from '../text/format-vmx.ts';
import { parseVmx } from '../text/parse-vmx.ts';
import { applyConfigSpec } from './apply-config-spec.ts';

type Change = (config: VirtualMachineConfigInfo | undefined) => VirtualDeviceConfigSpec;

const key = fc.constantFrom(0, 0, 200, 201, 1000, 1000, 1001, 15_000, 31_000, 9999);
const unit = fc.constantFrom(-1, -1, -1, 0, 1, 3, 7, 20);
const scsiType = fc.constantFrom(
  'ParaVirtualSCSIController' as const,
  'VirtualLsiLogicController' as const,
  'VirtualLsiLogicSASController' as const,
  'VirtualBusLogicController' as const,
);
const nicType = fc.constantFrom(
  'VirtualE1000' as const,
  'VirtualE1000e' as const,
  'VirtualVmxnet3' as const,
  'VirtualPCNet32' as const,
);
const anyDevice: fc.Arbitrary<VirtualDevice> = fc.oneof(
  fc.tuple(scsiType, fc.nat(4)).map(([type, bus]) => scsi(type, bus)),
  fc.constantFrom(
    make('VirtualAHCIController', { key: -300, busNumber: 0 }),
    make('VirtualNVMEController', { key: -300, busNumber: 0 }),
    make('VirtualUSBXHCIController', { key: -1, busNumber: 0 }),
  ),
  fc.tuple(key, unit, fc.nat(1 << 20)).map(([c, u, size]) => disk(c, u, size)),
  fc.tuple(key, unit, fc.boolean()).map(([c, u, iso]) => cdrom(c, u, iso ? '[iso store] a.iso' : undefined)),
  fc
    .tuple(nicType, fc.constantFrom('VM Network', 'VM Network', 'VM Network', 'nowhere'))
    .map(([type, network]) => nic(type, network)),
  fc.constantFrom(
    make('VirtualFloppy', { key: -2 }),
    make('VirtualSerialPort', {
      key: -3,
      yieldOnPoll: true,
      backing: make('VirtualSerialPortURIBackingInfo', { direction: 'client', serviceURI: 'tcp://h:1' }),
    }),
  ),
);
const anyChange: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 3,
    arbitrary: anyDevice.map(
      (device): Change =>
        () =>
          add(device, device._typeName === 'VirtualDisk' ? 'create' : undefined),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(40), fc.boolean(), unit, fc.boolean()).map(
      ([pick, isRemoval, unitNumber, isConnected]): Change =>
        (config) => {
          const devices = config?.hardware.device ?? [];
          const device = devices[pick % Math.max(1, devices.length)] ?? scsi('ParaVirtualSCSIController');
          if (isRemoval) return remove(device, 'destroy');
          const connectable = device.connectable && { ...device.connectable, connected: isConnected };
          return edit({ ...device, ...(connectable ? { connectable } : { unitNumber }) });
        },
    ),
  },
);
const anySpec = fc.record({
  changes: fc.array(anyChange, { maxLength: 3 }),
  isOn: fc.boolean(),
  settings: fc.record(
    {
      memoryMB: fc.constantFrom(4, 64, 1024, 2048, 1023),
      numCPUs: fc.integer({ min: 1, max: 17 }),
      firmware: fc.constantFrom('bios', 'efi'),
    },
    { requiredKeys: [], noNullPrototype: true },
  ),
});

const base = [
  add(scsi('ParaVirtualSCSIController')),
  add(make('VirtualAHCIController', { key: -300, busNumber: 0 })),
  add(make('VirtualNVMEController', { key: -301, busNumber: 0 })),
];

void test('whatever specs come, a configuration stays one that VMX, QEMU and the next spec understand (property)', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(anySpec, { minLength: 1, maxLength: 6 }), (specs) => {
      const disks: Record<string, DiskFacts> = {};
      let config: VirtualMachineConfigInfo | undefined;
      for (const { changes, isOn, settings } of specs) {
        const deviceChange = changes.map((change) => change(config));
        const powerState = config && isOn ? 'poweredOn' : 'poweredOff';
        const env = specEnvironment({ disks: { ...disks }, files: ['[iso store] a.iso'], env: { powerState } });
        const spec = config
          ? make('VirtualMachineConfigSpec', { ...settings, deviceChange })
          : vmCreate('web', [...base, ...deviceChange], { guestId: 'debian12_64Guest', cpuHotAddEnabled: true });
        try {
          const result = applyConfigSpec(config, spec, env);
          for (const effect of result.effects.prepare) {
            if (effect.kind === 'createDisk')
              disks[effect.path] = {
                capacityBytes: effect.capacityBytes,
                provisioning: effect.provisioning,
                adapter: effect.adapter,
                uuid: effect.uuid,
                contentId: effect.contentId.slice(-8),
              };
          }
          check(result.config, disks);
          config = result.config;
          for (const effect of result.effects.cleanup) delete disks[effect.path];
          accepted++;
        } catch (error) {
          if (!(error instanceof MethodFault)) throw error;
        }
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(accepted > 300, `only ${accepted} specs were accepted`);
});

function check(config: VirtualMachineConfigInfo, disks: Readonly<Record<string, DiskFacts>>): void {
  const keys = config.hardware.device?.map((device) => device.key) ?? [];
  assert.equal(new Set(keys).size, keys.length, 'device keys are unique');
  for (const device of config.hardware.device ?? []) {
    assert.ok(device.controllerKey === undefined || keys.includes(device.controllerKey), `controller of ${device.key}`);
    assert.ok(device.deviceInfo?.label);
  }
  const text = formatVmx(vmxFromConfig(config));
  const again = configFromVmx(parseVmx(text), {
    ...surroundings,
    findDisk: (path) => disks[path],
    vmPathName: config.files.vmPathName ?? '',
    modified: '',
  });
  assert.deepEqual(again, config);
  const machine = machineFromConfig(connectForPowerOn(config), {
    machineTypes: { q35: 'pc-q35-11.1', pc: 'pc-i440fx-11.1' },
    limits: { numCPUs: 8, memoryMB: 4096 },
    cpuModel: 'max',
    resolveDisk: (path) => ({ file: path.replace(/^.*\//, ''), format: 'qcow2', backing: [] }),
    resolveFile: (path) => path.replace(/^.*\//, ''),
    serialSocket: (id) => id,
  });
  machineArguments(machine, {
    accelerator: 'tcg',
    runFolder: '/run',
    vmFolder: '/vm',
    networks: {},
    paused: false,
    sandbox: false,
  });
}
