// The devices of a VM that is to be made: adapters first, those that were asked for and those that drives need, then what
// hangs on them. Pure.
import { isA, type MoRef, make, moRef, type VirtualDevice, type VirtualDeviceConfigSpec } from '@vivarium/vim';
import type { TypeOf } from '../shape.ts';
import { message, VapiError } from '../vapi-error.ts';
import type { cdromCreateSpec, createSpec, diskCreateSpec, nicCreateSpec } from './vm-create-shapes.ts';

type Spec = TypeOf<typeof createSpec>;
type Disk = TypeOf<typeof diskCreateSpec>;
type Cdrom = TypeOf<typeof cdromCreateSpec>;
type Nic = TypeOf<typeof nicCreateSpec>;

type Bus = 'IDE' | 'SCSI' | 'SATA' | 'NVME';

/** Where networks are looked up: their name, or what a distributed port group is. */
export interface Networks {
  /** Undefined when there is no such network that the caller may read. */
  find(id: string): { readonly name: string; readonly switchUuid: string | undefined } | undefined;
}

/** What vCenter gives a VM whose spec names no disks; its sizes depend on the guest, ours does not. */
const BLANK_DISK: Disk = { new_vmdk: { capacity: 16 * 2 ** 30 } };
/** The IDE controllers that every VM has. */
const IDE_KEYS = [200, 201] as const;
const SCSI_TYPES = {
  BUSLOGIC: 'VirtualBusLogicController',
  LSILOGIC: 'VirtualLsiLogicController',
  LSILOGICSAS: 'VirtualLsiLogicSASController',
  PVSCSI: 'ParaVirtualSCSIController',
} as const;
const SHARING = { NONE: 'noSharing', VIRTUAL: 'virtualSharing', PHYSICAL: 'physicalSharing' } as const;
const NIC_TYPES = {
  E1000: 'VirtualE1000',
  E1000E: 'VirtualE1000e',
  PCNET32: 'VirtualPCNet32',
  VMXNET: 'VirtualVmxnet',
  VMXNET2: 'VirtualVmxnet2',
  VMXNET3: 'VirtualVmxnet3',
} as const;
/** Units of a bus; the SCSI adapter itself is unit 7. */
const UNITS: Readonly<Record<Bus, number>> = { IDE: 2, SCSI: 16, SATA: 30, NVME: 15 };

/** Errors: invalid_argument. */
export function deviceChanges(spec: Spec, networks: Networks): VirtualDeviceConfigSpec[] {
  const devices = new NewDevices();
  for (const { type = 'PVSCSI', bus, sharing = 'NONE' } of spec.scsi_adapters ?? [])
    devices.adapter('SCSI', bus, (base) =>
      make(SCSI_TYPES[type], { ...base, sharedBus: SHARING[sharing], scsiCtlrUnitNumber: 7 }),
    );
  for (const { bus } of spec.sata_adapters ?? [])
    devices.adapter('SATA', bus, (base) => make('VirtualAHCIController', base));
  for (const { bus } of spec.nvme_adapters ?? [])
    devices.adapter('NVME', bus, (base) => make('VirtualNVMEController', base));
  for (const disk of spec.disks ?? [BLANK_DISK]) addDisk(devices, disk);
  for (const cdrom of spec.cdroms ?? []) addCdrom(devices, cdrom);
  for (const nic of spec.nics ?? []) devices.add(nicOf(nic, networks, devices.nextKey()));
  return devices.changes;
}

function addDisk(devices: NewDevices, disk: Disk): void {
  if ((disk.backing === undefined) === (disk.new_vmdk === undefined))
    throw invalid('a disk has either a backing or a new VMDK');
  const place = devices.place(disk.type ?? 'SCSI', disk);
  const existing = disk.backing?.vmdk_file;
  if (disk.backing && existing === undefined) throw invalid('a backing needs its vmdk_file');
  const capacityInBytes = disk.new_vmdk?.capacity ?? 16 * 2 ** 30;
  const device = make('VirtualDisk', {
    key: devices.nextKey(),
    ...place,
    capacityInBytes: existing === undefined ? capacityInBytes : 0,
    capacityInKB: existing === undefined ? Math.ceil(capacityInBytes / 1024) : 0,
    backing: make('VirtualDiskFlatVer2BackingInfo', {
      fileName: existing ?? fileOf(disk.new_vmdk?.name),
      diskMode: 'persistent',
      thinProvisioned: true,
    }),
  });
  devices.add(device, existing === undefined ? 'create' : undefined);
}

/** A name without a path lies in the VM's folder, which its host chooses. */
function fileOf(name: string | undefined): string {
  if (name === undefined) return '';
  throw invalid(`a new VMDK cannot be given a name ('${name.slice(0, 64)}') here`);
}

function addCdrom(devices: NewDevices, cdrom: Cdrom): void {
  const { type = 'CLIENT_DEVICE', iso_file, host_device } = cdrom.backing ?? {};
  if (type === 'ISO_FILE' && iso_file === undefined) throw invalid('an ISO backing needs its iso_file');
  const backing =
    type === 'ISO_FILE'
      ? make('VirtualCdromIsoBackingInfo', { fileName: iso_file ?? '' })
      : type === 'HOST_DEVICE'
        ? make('VirtualCdromAtapiBackingInfo', {
            deviceName: host_device ?? '',
            useAutoDetect: host_device === undefined,
          })
        : make('VirtualCdromRemotePassthroughBackingInfo', { deviceName: '', exclusive: false, useAutoDetect: false });
  const { start_connected = false, allow_guest_control = false } = cdrom;
  const connectable = make('VirtualDeviceConnectInfo', {
    startConnected: start_connected,
    allowGuestControl: allow_guest_control,
    connected: false,
  });
  const place = devices.place(cdrom.type ?? 'IDE', cdrom);
  devices.add(make('VirtualCdrom', { key: devices.nextKey(), ...place, backing, connectable }));
}

function nicOf(nic: Nic, networks: Networks, key: number): VirtualDevice {
  const { type = 'VMXNET3', mac_type = 'ASSIGNED', mac_address } = nic;
  if ((mac_type === 'MANUAL') !== (mac_address !== undefined))
    throw invalid('a MAC address is given with MANUAL alone');
  const connectable = make('VirtualDeviceConnectInfo', {
    startConnected: nic.start_connected ?? false,
    allowGuestControl: nic.allow_guest_control ?? false,
    connected: false,
  });
  const card = make(NIC_TYPES[type], {
    key,
    backing: nicBacking(nic, networks),
    connectable,
    addressType: mac_type.toLowerCase(),
    macAddress: mac_address,
    wakeOnLanEnabled: nic.wake_on_lan_enabled ?? false,
  });
  return isA('VirtualVmxnet3', card) && nic.upt_compatibility_enabled !== undefined
    ? make('VirtualVmxnet3', { ...card, uptCompatibilityEnabled: nic.upt_compatibility_enabled })
    : card;
}

function nicBacking({ backing }: Nic, networks: Networks) {
  const { type, network = '', distributed_port } = backing ?? { type: 'STANDARD_PORTGROUP' as const };
  const found = networks.find(network);
  if (!found) throw invalid(`there is no network '${network.slice(0, 64)}'`);
  if (type === 'STANDARD_PORTGROUP') {
    const ref = moRef('Network', network) as MoRef<'Network'>;
    return make('VirtualEthernetCardNetworkBackingInfo', { deviceName: found.name, network: ref });
  }
  if (type !== 'DISTRIBUTED_PORTGROUP' || found.switchUuid === undefined)
    throw invalid(`'${network.slice(0, 64)}' cannot back an adapter as ${type}`);
  return make('VirtualEthernetCardDistributedVirtualPortBackingInfo', {
    port: make('DistributedVirtualSwitchPortConnection', {
      switchUuid: found.switchUuid,
      portgroupKey: network,
      portKey: distributed_port,
    }),
  });
}

interface AdapterBase {
  readonly key: number;
  readonly busNumber: number;
}

type Address = Pick<Disk, 'ide' | 'scsi' | 'sata' | 'nvme'>;

/** Keys are negative, as clients name what does not exist yet. */
class NewDevices {
  readonly changes: VirtualDeviceConfigSpec[] = [];
  readonly #adapters = new Map<string, number>();
  readonly #taken = new Set<string>();
  #lastKey = 0;

  nextKey(): number {
    this.#lastKey -= 1;
    return this.#lastKey;
  }

  add(device: VirtualDevice, fileOperation?: 'create'): void {
    this.changes.push(make('VirtualDeviceConfigSpec', { operation: 'add', device, fileOperation }));
  }

  adapter(bus: Exclude<Bus, 'IDE'>, number: number | undefined, build: (base: AdapterBase) => VirtualDevice): number {
    let busNumber = number ?? 0;
    while (number === undefined && this.#adapters.has(`${bus} ${busNumber}`)) busNumber += 1;
    if (this.#adapters.has(`${bus} ${busNumber}`)) throw invalid(`there are two ${bus} adapters on bus ${busNumber}`);
    const key = this.nextKey();
    this.#adapters.set(`${bus} ${busNumber}`, key);
    this.add(build({ key, busNumber }));
    return key;
  }

  /** A place on a bus; the adapter is added when nobody asked for it. */
  place(bus: Bus, address: Address): { readonly controllerKey: number; readonly unitNumber: number } {
    if (bus === 'IDE') return this.#placeOnIde(address.ide ?? {});
    const wanted = { SCSI: address.scsi, SATA: address.sata, NVME: address.nvme }[bus];
    const busNumber = wanted?.bus ?? 0;
    const controllerKey = this.#adapters.get(`${bus} ${busNumber}`) ?? this.#neededAdapter(bus, busNumber);
    return { controllerKey, unitNumber: this.#unit(bus, busNumber, wanted?.unit) };
  }

  #placeOnIde({ primary, master }: NonNullable<Address['ide']>) {
    const buses = primary === undefined ? [0, 1] : [primary ? 0 : 1];
    const free = buses.find((one) => master !== undefined || this.#hasFreeUnit('IDE', one)) ?? 0;
    const unit = master === undefined ? undefined : master ? 0 : 1;
    return { controllerKey: IDE_KEYS[free === 0 ? 0 : 1], unitNumber: this.#unit('IDE', free, unit) };
  }

  #neededAdapter(bus: Exclude<Bus, 'IDE'>, busNumber: number): number {
    return this.adapter(bus, busNumber, (base) => {
      if (bus === 'SATA') return make('VirtualAHCIController', base);
      if (bus === 'NVME') return make('VirtualNVMEController', base);
      return make('ParaVirtualSCSIController', { ...base, sharedBus: 'noSharing', scsiCtlrUnitNumber: 7 });
    });
  }

  #unit(bus: Bus, busNumber: number, wanted: number | undefined): number {
    const isFree = (unit: number) => !this.#taken.has(`${bus} ${busNumber} ${unit}`) && !(bus === 'SCSI' && unit === 7);
    const unit = wanted ?? Array.from({ length: UNITS[bus] }, (_, index) => index).find(isFree);
    if (unit === undefined || unit < 0 || unit >= UNITS[bus] || !isFree(unit))
      throw invalid(`unit ${unit ?? ''} of ${bus} bus ${busNumber} is not free`);
    this.#taken.add(`${bus} ${busNumber} ${unit}`);
    return unit;
  }

  #hasFreeUnit(bus: Bus, busNumber: number): boolean {
    return Array.from({ length: UNITS[bus] }).some((_, unit) => !this.#taken.has(`${bus} ${busNumber} ${unit}`));
  }
}

function invalid(text: string): VapiError {
  const sentence = `The specification is not right: ${text}.`;
  return new VapiError('invalid_argument', message('com.vmware.api.vcenter.vm.invalid_spec', sentence));
}
