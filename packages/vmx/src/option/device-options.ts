// hardwareOptions.virtualDeviceOption: every device that a VM can have here, with its limits and backings.
import { type ControllerKind, controllerTraits } from '@vivarium/qemu/machine';
import {
  type DataTypes,
  make,
  type VirtualDeviceBackingOption,
  type VirtualDeviceOption,
  type VirtualSCSISharing,
} from '@vivarium/vim';
import { MAX_FLOPPIES } from '../config/devices/floppies.ts';
import { MAX_NICS } from '../config/devices/network-adapters.ts';
import { MAX_SERIALS } from '../config/devices/serial-ports.ts';
import { driveBuses } from '../device/drive-bus.ts';
import { MAX_DISK_BYTES } from '../vmdk/check-upload.ts';
import { boolOption, choiceOption, intOption, longOption } from './option-values.ts';

type DeviceType = keyof DataTypes;

const connectOption = make('VirtualDeviceConnectOption', {
  startConnected: boolOption(true),
  allowGuestControl: boolOption(true),
});
const sharing: VirtualSCSISharing[] = ['noSharing', 'virtualSharing', 'physicalSharing'];
const sharesOption = make('SharesOption', { sharesOption: intOption(0, 1_000_000, 1000), defaultLevel: 'normal' });
const pciSlot = make('VirtualDeviceBusSlotOption', { type: 'VirtualDevicePciBusSlotInfo' });

/** Common part of all options. `type` is the device's own type. */
function common(type: DeviceType, traits: { hot?: boolean; on?: DeviceType; pci?: boolean } = {}) {
  return {
    type,
    controllerType: traits.on,
    autoAssignController: traits.on ? boolOption(true) : undefined,
    busSlotOption: traits.pci ? pciSlot : undefined,
    deprecated: false,
    plugAndPlay: traits.hot ?? false,
    hotRemoveSupported: traits.hot ?? false,
  };
}

export function deviceOptions(): VirtualDeviceOption[] {
  return [...chipset(), ...scsiControllers(), ...otherControllers(), ...drives(), ...adapters(), ...ports()];
}

function chipset(): VirtualDeviceOption[] {
  return [
    make('VirtualPCIControllerOption', {
      ...common('VirtualPCIController'),
      devices: intOption(0, 43, 0),
      supportedDevice: [],
      numSCSIControllers: intOption(0, 4, 0),
      numEthernetCards: intOption(0, MAX_NICS, 0),
      numVideoCards: intOption(1, 1, 1),
      numSoundCards: intOption(0, 0, 0),
      numVmiRoms: intOption(0, 0, 0),
      numVmciDevices: intOption(1, 1, 1),
      numPCIPassthroughDevices: intOption(0, 0, 0),
      numSasSCSIControllers: intOption(0, 4, 0),
      numVmxnet3EthernetCards: intOption(0, MAX_NICS, 0),
      numParaVirtualSCSIControllers: intOption(0, 4, 0),
      numSATAControllers: intOption(0, 4, 0),
      numNVMEControllers: intOption(0, 4, 0),
      numVmxnet3VrdmaEthernetCards: intOption(0, 0, 0),
    }),
    make('VirtualPS2ControllerOption', {
      ...common('VirtualPS2Controller'),
      devices: intOption(0, 2, 0),
      numKeyboards: intOption(1, 1, 1),
      numPointingDevices: intOption(1, 1, 1),
    }),
    make('VirtualSIOControllerOption', {
      ...common('VirtualSIOController'),
      devices: intOption(0, MAX_FLOPPIES + MAX_SERIALS, 0),
      numFloppyDrives: intOption(0, MAX_FLOPPIES, 0),
      numSerialPorts: intOption(0, MAX_SERIALS, 0),
      numParallelPorts: intOption(0, 0, 0),
    }),
    make('VirtualKeyboardOption', { ...common('VirtualKeyboard', { on: 'VirtualPS2Controller' }) }),
    make('VirtualPointingDeviceOption', { ...common('VirtualPointingDevice', { on: 'VirtualPS2Controller' }) }),
    make('VirtualVideoCardOption', {
      ...common('VirtualMachineVideoCard', { on: 'VirtualPCIController' }),
      videoRamSizeInKB: longOption(2048, 262_144, 4096),
      numDisplays: intOption(1, 10, 1),
      useAutoDetect: boolOption(false),
      support3D: boolOption(false, false),
      use3dRendererSupported: boolOption(false, false),
      graphicsMemorySizeInKB: longOption(65_536, 8_388_608, 262_144),
      graphicsMemorySizeSupported: boolOption(false, false),
    }),
    make('VirtualMachineVMCIDeviceOption', {
      ...common('VirtualMachineVMCIDevice', { on: 'VirtualPCIController' }),
      allowUnrestrictedCommunication: boolOption(false, false),
      filterSupported: boolOption(false, false),
    }),
  ];
}

function scsiControllers(): VirtualDeviceOption[] {
  const option = <
    T extends
      | 'ParaVirtualSCSIControllerOption'
      | 'VirtualLsiLogicControllerOption'
      | 'VirtualLsiLogicSASControllerOption'
      | 'VirtualBusLogicControllerOption',
  >(
    optionType: T,
    type: DeviceType,
    kind: ControllerKind,
  ) => {
    const traits = controllerTraits[kind];
    // VMware keeps unit 7 for the controller.
    const units = traits.units > 7 ? traits.units - 1 : traits.units;
    return make(optionType, {
      ...common(type, { hot: traits.isHotPluggable, on: 'VirtualPCIController', pci: true }),
      devices: intOption(0, units, 0),
      supportedDevice: ['VirtualDisk', 'VirtualCdrom'],
      numSCSIDisks: intOption(0, units, 0),
      numSCSICdroms: intOption(0, units, 0),
      numSCSIPassthrough: intOption(0, 0, 0),
      sharing,
      defaultSharedIndex: 0,
      hotAddRemove: boolOption(true),
      scsiCtlrUnitNumber: 7,
    } as Parameters<typeof make<T>>[1]); // the four option types have the same properties
  };
  return [
    option('ParaVirtualSCSIControllerOption', 'ParaVirtualSCSIController', 'pvscsi'),
    option('VirtualLsiLogicControllerOption', 'VirtualLsiLogicController', 'lsilogic'),
    option('VirtualLsiLogicSASControllerOption', 'VirtualLsiLogicSASController', 'lsisas'),
    option('VirtualBusLogicControllerOption', 'VirtualBusLogicController', 'buslogic'),
  ];
}

function otherControllers(): VirtualDeviceOption[] {
  const units = (name: string) => driveBuses.find((bus) => bus.name === name)?.units ?? 0;
  const onPci = { hot: true, on: 'VirtualPCIController', pci: true } as const;
  return [
    make('VirtualIDEControllerOption', {
      ...common('VirtualIDEController'),
      devices: intOption(0, units('ide'), 0),
      supportedDevice: ['VirtualDisk', 'VirtualCdrom'],
      numIDEDisks: intOption(0, units('ide'), 0),
      numIDECdroms: intOption(0, units('ide'), 0),
    }),
    make('VirtualAHCIControllerOption', {
      ...common('VirtualAHCIController', onPci),
      devices: intOption(0, units('sata'), 0),
      supportedDevice: ['VirtualDisk', 'VirtualCdrom'],
      numSATADisks: intOption(0, units('sata'), 0),
      numSATACdroms: intOption(0, units('sata'), 0),
    }),
    make('VirtualNVMEControllerOption', {
      ...common('VirtualNVMEController', onPci),
      devices: intOption(0, units('nvme'), 0),
      supportedDevice: ['VirtualDisk'],
      numNVMEDisks: intOption(0, units('nvme'), 0),
      sharing: ['noSharing'],
    }),
    make('VirtualUSBControllerOption', {
      ...common('VirtualUSBController', { on: 'VirtualPCIController' }),
      devices: intOption(0, 20, 0),
      autoConnectDevices: boolOption(false),
      ehciSupported: boolOption(true),
      supportedSpeeds: ['low', 'full', 'high'],
    }),
    make('VirtualUSBXHCIControllerOption', {
      ...common('VirtualUSBXHCIController', { on: 'VirtualPCIController' }),
      devices: intOption(0, 20, 0),
      autoConnectDevices: boolOption(false),
      supportedSpeeds: ['low', 'full', 'high', 'superSpeed'],
    }),
  ];
}

function drives(): VirtualDeviceOption[] {
  return [
    make('VirtualDiskOption', {
      ...common('VirtualDisk', { hot: true, on: 'VirtualSCSIController' }),
      backingOption: [
        make('VirtualDiskFlatVer2BackingOption', {
          type: 'VirtualDiskFlatVer2BackingInfo',
          fileNameExtensions: choiceOption('vmdk'),
          diskMode: choiceOption('persistent', 'independent_persistent'),
          split: boolOption(false, false),
          writeThrough: boolOption(false),
          growable: true,
          hotGrowable: true,
          uuid: true,
          thinProvisioned: boolOption(false),
          eagerlyScrub: boolOption(false),
          deltaDiskFormat: choiceOption('redoLogFormat'),
          deltaDiskFormatsSupported: [],
        }),
      ],
      defaultBackingOptionIndex: 0,
      capacityInKB: longOption(1, MAX_DISK_BYTES / 1024, 4_194_304),
      ioAllocationOption: make('StorageIOAllocationOption', {
        limitOption: longOption(-1, 2_147_483_647, -1),
        sharesOption,
      }),
    }),
    make('VirtualCdromOption', {
      ...common('VirtualCdrom', { on: 'VirtualIDEController' }),
      connectOption,
      backingOption: [
        file('VirtualCdromIsoBackingOption', 'VirtualCdromIsoBackingInfo', 'iso'),
        make('VirtualCdromRemotePassthroughBackingOption', {
          type: 'VirtualCdromRemotePassthroughBackingInfo',
          autoDetectAvailable: boolOption(false, false),
          exclusive: boolOption(false),
        }),
        make('VirtualCdromRemoteAtapiBackingOption', {
          type: 'VirtualCdromRemoteAtapiBackingInfo',
          autoDetectAvailable: boolOption(false, false),
        }),
        make('VirtualCdromAtapiBackingOption', {
          type: 'VirtualCdromAtapiBackingInfo',
          autoDetectAvailable: boolOption(false, false),
        }),
      ],
      defaultBackingOptionIndex: 0,
    }),
    make('VirtualFloppyOption', {
      ...common('VirtualFloppy', { on: 'VirtualSIOController' }),
      connectOption,
      backingOption: [
        file('VirtualFloppyImageBackingOption', 'VirtualFloppyImageBackingInfo', 'flp', 'img'),
        make('VirtualFloppyRemoteDeviceBackingOption', {
          type: 'VirtualFloppyRemoteDeviceBackingInfo',
          autoDetectAvailable: boolOption(false, false),
        }),
      ],
      defaultBackingOptionIndex: 0,
    }),
  ];
}

type FileOption =
  | 'VirtualCdromIsoBackingOption'
  | 'VirtualFloppyImageBackingOption'
  | 'VirtualSerialPortFileBackingOption';

function file(optionType: FileOption, type: DeviceType, ...extensions: readonly string[]): VirtualDeviceBackingOption {
  return make(optionType, { type, fileNameExtensions: choiceOption(...extensions) });
}

function adapters(): VirtualDeviceOption[] {
  const ethernet = (type: DeviceType) => ({
    ...common(type, { hot: true, on: 'VirtualPCIController', pci: true }),
    connectOption,
    backingOption: [
      make('VirtualEthernetCardNetworkBackingOption', {
        type: 'VirtualEthernetCardNetworkBackingInfo',
        autoDetectAvailable: boolOption(false, false),
      }),
    ],
    defaultBackingOptionIndex: 0,
    supportedOUI: choiceOption('00:0c:29', '00:50:56'),
    macType: choiceOption('generated', 'manual', 'assigned'),
    wakeOnLanEnabled: boolOption(true),
    uptCompatibilityEnabled: boolOption(false, false),
  });
  return [
    make('VirtualE1000Option', ethernet('VirtualE1000')),
    make('VirtualE1000eOption', ethernet('VirtualE1000e')),
    make('VirtualVmxnet3Option', ethernet('VirtualVmxnet3')),
    make('VirtualPCNet32Option', { ...ethernet('VirtualPCNet32'), supportsMorphing: false }),
  ];
}

function ports(): VirtualDeviceOption[] {
  return [
    make('VirtualSerialPortOption', {
      ...common('VirtualSerialPort', { on: 'VirtualSIOController' }),
      connectOption,
      backingOption: [
        file('VirtualSerialPortFileBackingOption', 'VirtualSerialPortFileBackingInfo', 'log', 'txt'),
        make('VirtualSerialPortURIBackingOption', {
          type: 'VirtualSerialPortURIBackingInfo',
          directions: choiceOption('server', 'client'),
        }),
        make('VirtualSerialPortPipeBackingOption', {
          type: 'VirtualSerialPortPipeBackingInfo',
          endpoint: choiceOption('server', 'client'),
          noRxLoss: boolOption(false),
        }),
      ],
      defaultBackingOptionIndex: 0,
      yieldOnPoll: boolOption(true),
    }),
  ];
}
