// The machine's disks and what they hang on, as sysfs tells. Loop devices, device-mapper, compressed memory and optical drives are none.
import type { MachineFiles } from './machine-files.ts';

export interface BlockDevice {
  /** `sda`, `nvme0n1`, `vda`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly isRotational: boolean;
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly revision?: string | undefined;
  readonly serialNumber?: string | undefined;
  /** World-wide name as the kernel writes it: `naa.…`, `eui.…`, `t10.…`. */
  readonly wwid?: string | undefined;
  readonly isNvme: boolean;
  readonly adapter: StorageAdapter;
}

export interface StorageAdapter {
  /** Address on the PCI bus: `0000:00:02.0`. Undefined when it is on none. */
  readonly pci?: string | undefined;
  readonly driver?: string | undefined;
}

/** The unit of /sys/block/X/size, whatever the device's own is. */
const SECTOR_BYTES = 512;
const OPTICAL = '5';

export function readBlockDevices(files: MachineFiles): BlockDevice[] {
  return files.list('/sys/block').flatMap((name) => readDevice(files, name) ?? []);
}

function readDevice(files: MachineFiles, name: string): BlockDevice | undefined {
  const folder = `/sys/block/${name}`;
  const sizeBytes = Number(files.text(`${folder}/size`) ?? 0) * SECTOR_BYTES;
  const isDisk = files.real(`${folder}/device`) !== undefined && files.text(`${folder}/device/type`) !== OPTICAL;
  if (!isDisk || sizeBytes === 0 || files.text(`${folder}/removable`) === '1') return undefined;
  const said = (...paths: string[]) => paths.map((path) => files.text(`${folder}/${path}`)).find((text) => text);
  const vendor = said('device/vendor');
  return {
    name,
    sizeBytes,
    blockBytes: Number(said('queue/logical_block_size') ?? SECTOR_BYTES),
    isRotational: said('queue/rotational') === '1',
    // Virtio has a number there.
    vendor: vendor?.startsWith('0x') ? undefined : vendor,
    model: said('device/model'),
    revision: said('device/rev', 'device/firmware_rev'),
    serialNumber: said('serial', 'device/serial'),
    wwid: said('wwid', 'device/wwid'),
    isNvme: name.startsWith('nvme'),
    adapter: readAdapter(files, folder),
  };
}

function readAdapter(files: MachineFiles, folder: string): StorageAdapter {
  const pci = [...(files.real(folder) ?? '').matchAll(/\/([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?=\/)/g)].at(
    -1,
  )?.[1];
  if (pci === undefined) return {};
  return { pci, driver: files.real(`/sys/bus/pci/devices/${pci}/driver`)?.split('/').at(-1) };
}
