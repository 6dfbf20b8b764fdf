// The structures of com.vmware.vcenter.VM and com.vmware.vcenter.vm.hardware. Names and fields are vCenter's.
import { flag, id, integer, listOf, mapOf, oneOf, optional, struct, text } from '../shape.ts';
import { guestOs } from './guest-os.ts';

const HARDWARE = 'com.vmware.vcenter.vm.hardware';

export const vmId = id('VirtualMachine');
export const diskId = id('com.vmware.vcenter.vm.hardware.Disk');
export const powerState = oneOf('com.vmware.vcenter.vm.power.state', ['POWERED_OFF', 'POWERED_ON', 'SUSPENDED']);
export const hardwareVersion = oneOf(
  `${HARDWARE}.version`,
  Array.from({ length: 20 }, (_, index) => `VMX_${String(index + 3).padStart(2, '0')}`),
);

export const connectionState = oneOf(`${HARDWARE}.connection_state`, [
  'CONNECTED',
  'RECOVERABLE_ERROR',
  'UNRECOVERABLE_ERROR',
  'NOT_CONNECTED',
  'UNKNOWN',
]);

const busAndUnit = (bus: string) => struct(`${HARDWARE}.${bus}_address_info`, { bus: integer, unit: integer });
const ideAddress = struct(`${HARDWARE}.ide_address_info`, { primary: flag, master: flag });
const scsiAddress = busAndUnit('scsi');

export const diskInfo = struct(`${HARDWARE}.disk.info`, {
  label: text,
  type: oneOf(`${HARDWARE}.disk.host_bus_adapter_type`, ['IDE', 'SCSI', 'SATA', 'NVME']),
  ide: optional(ideAddress),
  scsi: optional(scsiAddress),
  sata: optional(busAndUnit('sata')),
  nvme: optional(busAndUnit('nvme')),
  backing: struct(`${HARDWARE}.disk.backing_info`, {
    type: oneOf(`${HARDWARE}.disk.backing_type`, ['VMDK_FILE']),
    vmdk_file: optional(text),
  }),
  capacity: optional(integer),
});

const connectable = { state: connectionState, start_connected: flag, allow_guest_control: flag };

export const nicInfo = struct(`${HARDWARE}.ethernet.info`, {
  label: text,
  type: oneOf(`${HARDWARE}.ethernet.emulation_type`, ['E1000', 'E1000E', 'PCNET32', 'VMXNET', 'VMXNET2', 'VMXNET3']),
  upt_compatibility_enabled: optional(flag),
  mac_type: oneOf(`${HARDWARE}.ethernet.mac_address_type`, ['MANUAL', 'GENERATED', 'ASSIGNED']),
  mac_address: optional(text),
  pci_slot_number: optional(integer),
  wake_on_lan_enabled: flag,
  backing: struct(`${HARDWARE}.ethernet.backing_info`, {
    type: oneOf(`${HARDWARE}.ethernet.backing_type`, [
      'STANDARD_PORTGROUP',
      'HOST_DEVICE',
      'DISTRIBUTED_PORTGROUP',
      'OPAQUE_NETWORK',
    ]),
    network: optional(id('Network')),
    network_name: optional(text),
    host_device: optional(text),
    distributed_switch_uuid: optional(text),
    distributed_port: optional(text),
    connection_cookie: optional(integer),
    opaque_network_type: optional(text),
    opaque_network_id: optional(text),
  }),
  ...connectable,
});

export const cdromInfo = struct(`${HARDWARE}.cdrom.info`, {
  type: oneOf(`${HARDWARE}.cdrom.host_bus_adapter_type`, ['IDE', 'SATA']),
  label: text,
  ide: optional(ideAddress),
  sata: optional(busAndUnit('sata')),
  backing: struct(`${HARDWARE}.cdrom.backing_info`, {
    type: oneOf(`${HARDWARE}.cdrom.backing_type`, ['ISO_FILE', 'HOST_DEVICE', 'CLIENT_DEVICE']),
    iso_file: optional(text),
    host_device: optional(text),
    auto_detect: optional(flag),
    device_access_type: optional(
      oneOf(`${HARDWARE}.cdrom.device_access_type`, ['EMULATION', 'PASSTHRU', 'PASSTHRU_EXCLUSIVE']),
    ),
  }),
  ...connectable,
});

export const floppyInfo = struct(`${HARDWARE}.floppy.info`, {
  label: text,
  backing: struct(`${HARDWARE}.floppy.backing_info`, {
    type: oneOf(`${HARDWARE}.floppy.backing_type`, ['IMAGE_FILE', 'HOST_DEVICE', 'CLIENT_DEVICE']),
    image_file: optional(text),
    host_device: optional(text),
    auto_detect: optional(flag),
  }),
  ...connectable,
});

export const parallelInfo = struct(`${HARDWARE}.parallel.info`, {
  label: text,
  backing: struct(`${HARDWARE}.parallel.backing_info`, {
    type: oneOf(`${HARDWARE}.parallel.backing_type`, ['FILE', 'HOST_DEVICE']),
    file: optional(text),
    host_device: optional(text),
    auto_detect: optional(flag),
  }),
  ...connectable,
});

export const serialInfo = struct(`${HARDWARE}.serial.info`, {
  label: text,
  yield_on_poll: flag,
  backing: struct(`${HARDWARE}.serial.backing_info`, {
    type: oneOf(`${HARDWARE}.serial.backing_type`, [
      'FILE',
      'HOST_DEVICE',
      'PIPE_SERVER',
      'PIPE_CLIENT',
      'NETWORK_SERVER',
      'NETWORK_CLIENT',
    ]),
    file: optional(text),
    host_device: optional(text),
    auto_detect: optional(flag),
    pipe: optional(text),
    no_rx_loss: optional(flag),
    network_location: optional(text),
    proxy: optional(text),
  }),
  ...connectable,
});

export const sataAdapterInfo = struct(`${HARDWARE}.adapter.sata.info`, {
  label: text,
  type: oneOf(`${HARDWARE}.adapter.sata.type`, ['AHCI']),
  bus: integer,
  pci_slot_number: optional(integer),
});

export const scsiAdapterInfo = struct(`${HARDWARE}.adapter.scsi.info`, {
  label: text,
  type: oneOf(`${HARDWARE}.adapter.scsi.type`, ['BUSLOGIC', 'LSILOGIC', 'LSILOGICSAS', 'PVSCSI']),
  scsi: scsiAddress,
  pci_slot_number: optional(integer),
  sharing: oneOf(`${HARDWARE}.adapter.scsi.sharing`, ['NONE', 'VIRTUAL', 'PHYSICAL']),
});

export const nvmeAdapterInfo = struct(`${HARDWARE}.adapter.nvme.info`, {
  label: text,
  bus: integer,
  pci_slot_number: optional(integer),
});

export const vmInfo = struct('com.vmware.vcenter.VM.info', {
  guest_OS: guestOs,
  name: text,
  identity: optional(
    struct('com.vmware.vcenter.vm.identity.info', { name: text, bios_uuid: text, instance_uuid: text }),
  ),
  power_state: powerState,
  instant_clone_frozen: optional(flag),
  hardware: struct(`${HARDWARE}.info`, {
    version: hardwareVersion,
    upgrade_policy: oneOf(`${HARDWARE}.upgrade_policy`, ['NEVER', 'AFTER_CLEAN_SHUTDOWN', 'ALWAYS']),
    upgrade_version: optional(hardwareVersion),
    upgrade_status: oneOf(`${HARDWARE}.upgrade_status`, ['NONE', 'PENDING', 'SUCCESS', 'FAILED']),
  }),
  boot: struct(`${HARDWARE}.boot.info`, {
    type: oneOf(`${HARDWARE}.boot.type`, ['BIOS', 'EFI']),
    efi_legacy_boot: optional(flag),
    network_protocol: optional(oneOf(`${HARDWARE}.boot.network_protocol`, ['IPV4', 'IPV6'])),
    delay: integer,
    retry: flag,
    retry_delay: integer,
    enter_setup_mode: flag,
  }),
  boot_devices: listOf(
    struct(`${HARDWARE}.boot.device.entry`, {
      type: oneOf(`${HARDWARE}.boot.device.type`, ['CDROM', 'DISK', 'ETHERNET', 'FLOPPY']),
      nic: optional(id('com.vmware.vcenter.vm.hardware.Ethernet')),
      disks: optional(listOf(diskId)),
    }),
  ),
  cpu: struct(`${HARDWARE}.cpu.info`, {
    count: integer,
    cores_per_socket: integer,
    hot_add_enabled: flag,
    hot_remove_enabled: flag,
  }),
  memory: struct(`${HARDWARE}.memory.info`, {
    size_MiB: integer,
    hot_add_enabled: flag,
    hot_add_increment_size_MiB: optional(integer),
    hot_add_limit_MiB: optional(integer),
  }),
  disks: mapOf(diskInfo),
  nics: mapOf(nicInfo),
  cdroms: mapOf(cdromInfo),
  floppies: mapOf(floppyInfo),
  parallel_ports: mapOf(parallelInfo),
  serial_ports: mapOf(serialInfo),
  sata_adapters: mapOf(sataAdapterInfo),
  scsi_adapters: mapOf(scsiAdapterInfo),
  nvme_adapters: optional(mapOf(nvmeAdapterInfo)),
});

export const vmSummary = struct('com.vmware.vcenter.VM.summary', {
  vm: vmId,
  name: text,
  power_state: powerState,
  cpu_count: optional(integer),
  memory_size_MiB: optional(integer),
});
