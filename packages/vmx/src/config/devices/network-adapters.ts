// ethernet0..9 of a VMX.
import {
  isA,
  make,
  type VirtualDevice,
  type VirtualDeviceBackingInfo,
  type VirtualEthernetCard,
  type VirtualEthernetCardResourceAllocation,
} from '@vivarium/vim';
import { PCI_KEY } from '../../device/fixed-devices.ts';
import type { VmxFile } from '../../text/vmx-file.ts';
import type { DeviceFamily, ReadContext } from '../device-context.ts';
import { readShares, type SharesTable, writeShares } from '../shares.ts';
import { readFlag, readInteger, readText, readWord, write } from '../vmx-values.ts';
import { readConnectable, writeConnectable } from './connectable.ts';
import { readSlot, writeSlot } from './pci-slot.ts';

export const FIRST_NIC_KEY = 4000;
export const MAX_NICS = 10;
/** ESXi's unit number of the first network adapter on PCI controller 0. */
const FIRST_PCI_UNIT = 7;

/** `vmxnet` and `vlance` are the two faces of the old "flexible" adapter. */
const models = {
  e1000: 'VirtualE1000',
  e1000e: 'VirtualE1000e',
  vmxnet3: 'VirtualVmxnet3',
  vlance: 'VirtualPCNet32',
  vmxnet: 'VirtualPCNet32',
} as const;
type Model = keyof typeof models;
const modelNames = Object.keys(models) as Model[]; // the keys of the literal above

export const NIC_SHARES: SharesTable = { low: 25, normal: 50, high: 100 };

const addressTypes = { generated: 'generated', static: 'manual', vpx: 'assigned' } as const;

export const networkAdapters: DeviceFamily = {
  keys: /^(ethernet\d+\.(present|virtualdev|networkname|connectiontype|addresstype|address|generatedaddress|generatedaddressoffset|checkmacaddress|startconnected|allowguestconnectioncontrol|wakeonpcktrcv|pcislotnumber|uptcompatibility|externalid|dvs\.\w+)|sched\.ethernet\d+\.(shares|limit|reservation))$/,

  read(vmx, context) {
    const found: VirtualDevice[] = [];
    for (let index = 0; index < MAX_NICS; index++) {
      if (readFlag(vmx, `ethernet${index}.present`)) found.push(readAdapter(vmx, index, context));
    }
    return found;
  },

  write(vmx, devices) {
    for (const device of devices) {
      if (isA('VirtualEthernetCard', device)) writeAdapter(vmx, device, `ethernet${device.key - FIRST_NIC_KEY}`);
    }
  },
};

function readAdapter(vmx: VmxFile, index: number, context: ReadContext): VirtualEthernetCard {
  const prefix = `ethernet${index}`;
  const key = FIRST_NIC_KEY + index;
  const model = readWord(vmx, `${prefix}.virtualDev`, modelNames) ?? (context.is64Bit ? 'e1000' : 'vlance');
  const addressType = readWord(vmx, `${prefix}.addressType`, ['generated', 'static', 'vpx']) ?? 'generated';
  const address = readText(vmx, `${prefix}.${addressType === 'static' ? 'address' : 'generatedAddress'}`);
  return make(models[model], {
    key,
    backing: readBacking(vmx, prefix, context),
    connectable: readConnectable(vmx, prefix, key, context),
    slotInfo: readSlot(vmx, prefix),
    controllerKey: PCI_KEY,
    unitNumber: FIRST_PCI_UNIT + index,
    addressType: addressTypes[addressType],
    macAddress: (address ?? readText(vmx, `${prefix}.address`) ?? readText(vmx, `${prefix}.generatedAddress`))
      ?.trim()
      .toLowerCase(),
    wakeOnLanEnabled: readFlag(vmx, `${prefix}.wakeOnPcktRcv`) ?? true,
    resourceAllocation: readAllocation(vmx, prefix),
    externalId: readText(vmx, `${prefix}.externalId`),
    uptCompatibilityEnabled: readFlag(vmx, `${prefix}.uptCompatibility`) ?? false,
  });
}

function readAllocation(vmx: VmxFile, prefix: string): VirtualEthernetCardResourceAllocation {
  return make('VirtualEthernetCardResourceAllocation', {
    reservation: readInteger(vmx, `sched.${prefix}.reservation`) ?? 0,
    share: readShares(vmx, `sched.${prefix}.shares`, NIC_SHARES),
    limit: readInteger(vmx, `sched.${prefix}.limit`) ?? -1,
  });
}

function readBacking(vmx: VmxFile, prefix: string, context: ReadContext): VirtualDeviceBackingInfo {
  const switchUuid = readText(vmx, `${prefix}.dvs.switchId`);
  if (switchUuid !== undefined) {
    return make('VirtualEthernetCardDistributedVirtualPortBackingInfo', {
      port: make('DistributedVirtualSwitchPortConnection', {
        switchUuid,
        portgroupKey: readText(vmx, `${prefix}.dvs.portgroupId`),
        portKey: readText(vmx, `${prefix}.dvs.portId`),
        connectionCookie: readInteger(vmx, `${prefix}.dvs.connectionId`),
      }),
    });
  }
  const deviceName = readText(vmx, `${prefix}.networkName`) ?? networkOfWorkstation(vmx, prefix);
  return make('VirtualEthernetCardNetworkBackingInfo', {
    deviceName,
    useAutoDetect: false,
    network: context.networks.find((network) => network.name === deviceName)?.ref,
  });
}

/** Workstation names a kind of connection instead of a network; ESXi's first network is where such an adapter belongs. */
function networkOfWorkstation(vmx: VmxFile, prefix: string): string {
  const type = readText(vmx, `${prefix}.connectionType`)?.toLowerCase() ?? 'bridged';
  return ['bridged', 'nat', 'hostonly', 'monitor_dev', 'custom'].includes(type) ? 'VM Network' : type;
}

function writeAdapter(vmx: VmxFile, device: VirtualEthernetCard, prefix: string): void {
  write(vmx, `${prefix}.present`, true);
  write(
    vmx,
    `${prefix}.virtualDev`,
    modelNames.find((name) => isA(models[name], device)),
  );
  const { backing } = device;
  if (isA('VirtualEthernetCardDistributedVirtualPortBackingInfo', backing)) {
    const { port } = backing;
    write(vmx, `${prefix}.dvs.switchId`, port.switchUuid);
    write(vmx, `${prefix}.dvs.portgroupId`, port.portgroupKey);
    write(vmx, `${prefix}.dvs.portId`, port.portKey);
    write(vmx, `${prefix}.dvs.connectionId`, port.connectionCookie);
  } else if (isA('VirtualDeviceDeviceBackingInfo', backing)) {
    write(vmx, `${prefix}.networkName`, backing.deviceName);
  }
  const type = device.addressType?.toLowerCase();
  const word = type === 'manual' ? 'static' : type === 'assigned' ? 'vpx' : 'generated';
  write(vmx, `${prefix}.addressType`, word);
  write(vmx, `${prefix}.${word === 'static' ? 'address' : 'generatedAddress'}`, device.macAddress);
  if (word === 'generated') writeOffset(vmx, prefix, device.macAddress);
  // ESXi refuses a static address outside its own range when this line is missing.
  if (word === 'static' && !/^00:50:56:[0-3]/.test(device.macAddress ?? ''))
    write(vmx, `${prefix}.checkMACAddress`, false);
  writeConnectable(vmx, prefix, device);
  write(vmx, `${prefix}.wakeOnPcktRcv`, device.wakeOnLanEnabled, true);
  write(vmx, `${prefix}.uptCompatibility`, device.uptCompatibilityEnabled, false);
  write(vmx, `${prefix}.externalId`, device.externalId);
  writeSlot(vmx, prefix, device);
  writeShares(vmx, `sched.${prefix}.shares`, device.resourceAllocation?.share);
  write(vmx, `sched.${prefix}.limit`, device.resourceAllocation?.limit, -1);
  write(vmx, `sched.${prefix}.reservation`, device.resourceAllocation?.reservation, 0);
}

/** Distance of a generated address from the one that follows from uuid.bios; VMware generates the address anew without it. */
function writeOffset(vmx: VmxFile, prefix: string, macAddress: string | undefined): void {
  const tail = (vmx.get('uuid.bios') ?? '').replace(/[\s-]/g, '').slice(-6);
  if (macAddress === undefined || tail.length < 6) return;
  const offset = Number.parseInt(macAddress.replaceAll(':', '').slice(-6), 16) - Number.parseInt(tail, 16);
  if (Number.isInteger(offset)) write(vmx, `${prefix}.generatedAddressOffset`, offset);
}
