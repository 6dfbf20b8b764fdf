// com.vmware.vcenter.VM.create_spec. Not taken: parallel ports, boot device order, storage policies.
import { flag, id, integer, listOf, oneOf, optional, struct, text } from '../shape.ts';
import { guestOs } from './guest-os.ts';
import { hardwareVersion } from './vm-shapes.ts';

const HARDWARE = 'com.vmware.vcenter.vm.hardware';

const ideAddress = struct(`${HARDWARE}.ide_address_spec`, { primary: optional(flag), master: optional(flag) });
const address = (bus: 'scsi' | 'sata' | 'nvme') =>
  struct(`${HARDWARE}.${bus}_address_spec`, { bus: integer, unit: optional(integer) });

export const placementSpec = struct('com.vmware.vcenter.VM.placement_spec', {
  folder: optional(id('Folder')),
  resource_pool: optional(id('ResourcePool')),
  host: optional(id('HostSystem')),
  cluster: optional(id('ClusterComputeResource')),
  datastore: optional(id('Datastore')),
});

export const diskCreateSpec = struct(`${HARDWARE}.disk.create_spec`, {
  type: optional(oneOf(`${HARDWARE}.disk.host_bus_adapter_type`, ['IDE', 'SCSI', 'SATA', 'NVME'])),
  ide: optional(ideAddress),
  scsi: optional(address('scsi')),
  sata: optional(address('sata')),
  nvme: optional(address('nvme')),
  backing: optional(
    struct(`${HARDWARE}.disk.backing_spec`, {
      type: oneOf(`${HARDWARE}.disk.backing_type`, ['VMDK_FILE']),
      vmdk_file: optional(text),
    }),
  ),
  new_vmdk: optional(
    struct(`${HARDWARE}.disk.vmdk_create_spec`, { name: optional(text), capacity: optional(integer) }),
  ),
});

const connectable = { start_connected: optional(flag), allow_guest_control: optional(flag) };

export const nicCreateSpec = struct(`${HARDWARE}.ethernet.create_spec`, {
  type: optional(
    oneOf(`${HARDWARE}.ethernet.emulation_type`, ['E1000', 'E1000E', 'PCNET32', 'VMXNET', 'VMXNET2', 'VMXNET3']),
  ),
  upt_compatibility_enabled: optional(flag),
  mac_type: optional(oneOf(`${HARDWARE}.ethernet.mac_address_type`, ['MANUAL', 'GENERATED', 'ASSIGNED'])),
  mac_address: optional(text),
  wake_on_lan_enabled: optional(flag),
  backing: optional(
    struct(`${HARDWARE}.ethernet.backing_spec`, {
      type: oneOf(`${HARDWARE}.ethernet.backing_type`, [
        'STANDARD_PORTGROUP',
        'HOST_DEVICE',
        'DISTRIBUTED_PORTGROUP',
        'OPAQUE_NETWORK',
      ]),
      network: optional(id('Network')),
      distributed_port: optional(text),
    }),
  ),
  ...connectable,
});

export const cdromCreateSpec = struct(`${HARDWARE}.cdrom.create_spec`, {
  type: optional(oneOf(`${HARDWARE}.cdrom.host_bus_adapter_type`, ['IDE', 'SATA'])),
  ide: optional(ideAddress),
  sata: optional(address('sata')),
  backing: optional(
    struct(`${HARDWARE}.cdrom.backing_spec`, {
      type: oneOf(`${HARDWARE}.cdrom.backing_type`, ['ISO_FILE', 'HOST_DEVICE', 'CLIENT_DEVICE']),
      iso_file: optional(text),
      host_device: optional(text),
    }),
  ),
  ...connectable,
});

export const createSpec = struct('com.vmware.vcenter.VM.create_spec', {
  guest_OS: guestOs,
  name: optional(text),
  placement: optional(placementSpec),
  hardware_version: optional(hardwareVersion),
  boot: optional(
    struct(`${HARDWARE}.boot.create_spec`, {
      type: optional(oneOf(`${HARDWARE}.boot.type`, ['BIOS', 'EFI'])),
      network_protocol: optional(oneOf(`${HARDWARE}.boot.network_protocol`, ['IPV4', 'IPV6'])),
      delay: optional(integer),
      retry: optional(flag),
      retry_delay: optional(integer),
      enter_setup_mode: optional(flag),
    }),
  ),
  cpu: optional(
    struct(`${HARDWARE}.cpu.update_spec`, {
      count: optional(integer),
      cores_per_socket: optional(integer),
      hot_add_enabled: optional(flag),
      hot_remove_enabled: optional(flag),
    }),
  ),
  memory: optional(
    struct(`${HARDWARE}.memory.update_spec`, { size_MiB: optional(integer), hot_add_enabled: optional(flag) }),
  ),
  disks: optional(listOf(diskCreateSpec)),
  nics: optional(listOf(nicCreateSpec)),
  cdroms: optional(listOf(cdromCreateSpec)),
  sata_adapters: optional(
    listOf(
      struct(`${HARDWARE}.adapter.sata.create_spec`, {
        type: optional(oneOf(`${HARDWARE}.adapter.sata.type`, ['AHCI'])),
        bus: optional(integer),
      }),
    ),
  ),
  scsi_adapters: optional(
    listOf(
      struct(`${HARDWARE}.adapter.scsi.create_spec`, {
        type: optional(oneOf(`${HARDWARE}.adapter.scsi.type`, ['BUSLOGIC', 'LSILOGIC', 'LSILOGICSAS', 'PVSCSI'])),
        bus: optional(integer),
        sharing: optional(oneOf(`${HARDWARE}.adapter.scsi.sharing`, ['NONE', 'VIRTUAL', 'PHYSICAL'])),
      }),
    ),
  ),
  nvme_adapters: optional(listOf(struct(`${HARDWARE}.adapter.nvme.create_spec`, { bus: optional(integer) }))),
});
