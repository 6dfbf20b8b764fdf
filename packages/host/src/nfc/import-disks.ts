// Which disks of a new VM a client may fill, and under which names. Pure.
import { isA, type VirtualDevice } from '@vivarium/vim';
import { deviceId } from '../ovf-manager/import-spec.ts';

export interface ImportDisk {
  /** As OvfFileItem.deviceId names it: `/vm/ParaVirtualSCSIController0:0`. */
  readonly importKey: string;
  /** The device's key in the VM's configuration. */
  readonly deviceKey: number;
  /** Plain name in the lease's URL. */
  readonly fileName: string;
  /** Datastore path of the descriptor. */
  readonly path: string;
  readonly capacityBytes: number;
}

/** Every file-backed disk among a VM's devices. `entityName`: the VM's name. */
export function importDisks(entityName: string, devices: readonly VirtualDevice[]): ImportDisk[] {
  const disks = devices.filter((device) => isA('VirtualDisk', device));
  return disks.flatMap((disk, index) => {
    const controller = devices.find(({ key }) => key === disk.controllerKey);
    if (!isA('VirtualController', controller) || !isA('VirtualDeviceFileBackingInfo', disk.backing)) return [];
    return [
      {
        importKey: deviceId(entityName, controller._typeName, controller.busNumber, disk.unitNumber ?? 0),
        deviceKey: disk.key,
        fileName: `disk-${index}.vmdk`,
        path: disk.backing.fileName,
        capacityBytes: disk.capacityInBytes ?? disk.capacityInKB * 1024,
      },
    ];
  });
}
