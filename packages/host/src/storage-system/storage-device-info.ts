// The machine's disks in vSphere's words. They are the machine's: no datastore is made on them. Pure.
import { createHash } from 'node:crypto';
import { type HostScsiDisk, type HostStorageDeviceInfo, make } from '@vivarium/vim';
import type { BlockDevice, StorageAdapter } from '../machine/block-devices.ts';

interface Adapter extends StorageAdapter {
  /** vmhba0, vmhba1 … in the order of their addresses. */
  readonly name: string;
  readonly isNvme: boolean;
  readonly devices: readonly BlockDevice[];
}

/** How many adapters there are: HostHardwareSummary.numHBAs. */
export function countAdapters(devices: readonly BlockDevice[]): number {
  return adaptersOf(devices).length;
}

export function storageDeviceInfo(devices: readonly BlockDevice[]): HostStorageDeviceInfo {
  const adapters = adaptersOf(devices);
  const disks = adapters.map((adapter) => ({
    adapter,
    disks: adapter.devices.map((device, target) => scsiDisk(adapter, device, target)),
  }));
  return make('HostStorageDeviceInfo', {
    hostBusAdapter: adapters.map((adapter) =>
      make(adapter.isNvme ? 'HostPcieHba' : 'HostBlockHba', {
        key: adapterKey(adapter),
        device: adapter.name,
        bus: Number.parseInt(adapter.pci?.split(':')[1] ?? '0', 16),
        status: 'online',
        model: adapter.driver ?? 'unknown',
        driver: adapter.driver,
        pci: adapter.pci,
        storageProtocol: adapter.isNvme ? 'nvme' : 'scsi',
      }),
    ),
    scsiLun: disks.flatMap((entry) => entry.disks),
    scsiTopology: make('HostScsiTopology', {
      adapter: disks.map(({ adapter, disks: own }) =>
        make('HostScsiTopologyInterface', {
          key: `key-vim.host.ScsiTopology.Interface-${adapter.name}`,
          adapter: adapterKey(adapter),
          target: own.map((disk, target) => {
            const place = `${adapter.name}:0:${target}`;
            const lun = { key: `key-vim.host.ScsiTopology.Lun-${disk.uuid}`, lun: 0, scsiLun: disk.key ?? '' };
            return make('HostScsiTopologyTarget', {
              key: `key-vim.host.ScsiTopology.Target-${place}`,
              target,
              lun: [make('HostScsiTopologyLun', lun)],
            });
          }),
        }),
      ),
    }),
    softwareInternetScsiEnabled: false,
  });
}

function adaptersOf(devices: readonly BlockDevice[]): Adapter[] {
  const byAddress = Map.groupBy(devices, ({ adapter }) => adapter.pci ?? '');
  return [...byAddress]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, own], index) => ({
      ...own[0]?.adapter,
      name: `vmhba${index}`,
      isNvme: own[0]?.isNvme ?? false,
      devices: own,
    }));
}

function scsiDisk(adapter: Adapter, device: BlockDevice, target: number): HostScsiDisk {
  const canonicalName = device.wwid?.replaceAll(/\s+/g, '_') ?? `mpx.${adapter.name}:C0:T${target}:L0`;
  const uuid = createHash('sha256').update(canonicalName).digest('hex').slice(0, 32);
  const vendor = device.vendor ?? (device.isNvme ? 'NVMe' : 'unknown');
  return make('HostScsiDisk', {
    key: `key-vim.host.ScsiDisk-${uuid}`,
    uuid,
    deviceName: `/dev/${device.name}`,
    deviceType: 'disk',
    canonicalName,
    displayName: `Local ${vendor} Disk (${canonicalName})`,
    lunType: 'disk',
    vendor,
    model: device.model ?? 'unknown',
    revision: device.revision,
    serialNumber: device.serialNumber,
    operationalState: ['ok'],
    capacity: make('HostDiskDimensionsLba', {
      blockSize: device.blockBytes,
      block: Math.floor(device.sizeBytes / device.blockBytes),
    }),
    devicePath: `/dev/${device.name}`,
    ssd: !device.isRotational,
    localDisk: true,
  });
}

function adapterKey({ name, isNvme }: Pick<Adapter, 'name' | 'isNvme'>): string {
  return `key-vim.host.${isNvme ? 'PcieHba' : 'BlockHba'}-${name}`;
}
