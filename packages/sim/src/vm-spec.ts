// What a simulated VM is made of.
import { type Random, uuid } from '@vivarium/base';
import { make, moRef, type VirtualMachineConfigSpec } from '@vivarium/vim';

/** As vcsim's: one disk of 10 GB, an adapter, a CD-ROM drive. */
export function vmSpec(
  random: Random,
  { name, datastore, network }: { readonly name: string; readonly datastore: string; readonly network: string },
): VirtualMachineConfigSpec {
  const controller = make('ParaVirtualSCSIController', { key: -1, busNumber: 0, sharedBus: 'noSharing' });
  const disk = make('VirtualDisk', {
    key: -2,
    controllerKey: -1,
    unitNumber: 0,
    capacityInKB: 10 * 1024 * 1024,
    backing: make('VirtualDiskFlatVer2BackingInfo', { fileName: '', diskMode: 'persistent', thinProvisioned: true }),
  });
  const nic = make('VirtualVmxnet3', {
    key: -3,
    backing: make('VirtualEthernetCardNetworkBackingInfo', {
      deviceName: network,
      network: moRef('Network', `HaNetwork-${network}`),
    }),
    connectable: make('VirtualDeviceConnectInfo', { startConnected: true, allowGuestControl: true, connected: true }),
  });
  const cdrom = make('VirtualCdrom', {
    key: -4,
    controllerKey: 200,
    unitNumber: 0,
    backing: make('VirtualCdromAtapiBackingInfo', { deviceName: 'cdrom', useAutoDetect: false }),
  });
  const add = (device: typeof disk | typeof nic | typeof cdrom | typeof controller, fileOperation?: 'create') =>
    make('VirtualDeviceConfigSpec', { operation: 'add', device, fileOperation });
  return make('VirtualMachineConfigSpec', {
    name,
    instanceUuid: uuid(random),
    guestId: 'otherGuest64',
    numCPUs: 1,
    memoryMB: 32,
    files: make('VirtualMachineFileInfo', { vmPathName: `[${datastore}]` }),
    deviceChange: [add(controller), add(disk, 'create'), add(nic), add(cdrom)],
  });
}
