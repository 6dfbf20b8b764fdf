// The demo VM, made through the public API alone, as any client could.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { VimClient } from '@vivarium/client';
import type { DemoGuest } from '@vivarium/guests';
import { isFault, type MoRef, make, moRef, type VirtualDeviceConfigSpec } from '@vivarium/vim';
import type { Step } from './progress.ts';
import { listVms } from './vms.ts';

const NAME = 'demo';
const DATACENTER = 'ha-datacenter';
const DATASTORE = 'datastore1';
const NETWORK = 'VM Network';

/** The demo VM, made when there is none; powered on when it is off. */
export async function ensureDemoVm(client: VimClient, guest: DemoGuest, step: Step): Promise<MoRef<'VirtualMachine'>> {
  const existing = (await listVms(client)).find(({ name }) => name === NAME);
  const vm = existing?.ref ?? (await createDemoVm(client, guest, step));
  if (existing?.powerState === 'poweredOn') return vm;
  step.update('powering on the demo VM');
  await client.waitForTask(await client.call(vm, 'PowerOnVM_Task', {}));
  return vm;
}

async function createDemoVm(client: VimClient, guest: DemoGuest, step: Step): Promise<MoRef<'VirtualMachine'>> {
  const disk = `[${DATASTORE}] ${NAME}/${NAME}.vmdk`;
  await uploadDisk(client, guest, disk, step);
  step.update('creating the demo VM');
  const datacenter = moRef('Datacenter', DATACENTER);
  const vmFolder = await client.get(datacenter, 'vmFolder');
  if (!vmFolder) throw new Error(`${DATACENTER} has no folder for VMs`);
  const task = await client.call(vmFolder, 'CreateVM_Task', {
    config: make('VirtualMachineConfigSpec', {
      name: NAME,
      guestId: 'debian12_64Guest',
      numCPUs: 1,
      memoryMB: 256,
      annotation: 'A small Linux made by viv up. Log in on its console; its web page is on port 80.',
      files: make('VirtualMachineFileInfo', { vmPathName: `[${DATASTORE}] ${NAME}/${NAME}.vmx` }),
      deviceChange: devices(disk),
    }),
    pool: moRef('ResourcePool', 'ha-root-pool'),
  });
  const made = (await client.waitForTask(task)) as { value: string };
  return moRef('VirtualMachine', made.value);
}

// An empty disk of the image's size, whose data are then replaced by the image.
async function uploadDisk(client: VimClient, guest: DemoGuest, disk: string, step: Step): Promise<void> {
  const { fileManager, virtualDiskManager } = await client.content();
  if (!fileManager || !virtualDiskManager) throw new Error('the host has no FileManager or no VirtualDiskManager');
  const datacenter = moRef('Datacenter', DATACENTER);
  const { size } = await stat(guest.disk);
  await client
    .call(fileManager, 'MakeDirectory', { name: `[${DATASTORE}] ${NAME}`, datacenter, createParentDirectories: false })
    .catch((error: unknown) => {
      if (!isFault(error, 'FileAlreadyExists')) throw error;
    });
  const removal = await client.call(virtualDiskManager, 'DeleteVirtualDisk_Task', { name: disk, datacenter });
  await client.waitForTask(removal).catch(() => undefined); // what an up that was cut short left behind
  const creation = await client.call(virtualDiskManager, 'CreateVirtualDisk_Task', {
    name: disk,
    datacenter,
    spec: make('FileBackedVirtualDiskSpec', {
      diskType: 'preallocated',
      adapterType: 'lsiLogic',
      capacityKb: size / 1024,
    }),
  });
  await client.waitForTask(creation);
  const place = { datacenter: DATACENTER, datastore: DATASTORE, path: `${NAME}/${NAME}-flat.vmdk` };
  await client.upload(place, createReadStream(guest.disk), size, (sent) =>
    step.update('uploading the demo disk', sent / size),
  );
}

function devices(disk: string): VirtualDeviceConfigSpec[] {
  const add = (device: VirtualDeviceConfigSpec['device']) =>
    make('VirtualDeviceConfigSpec', { operation: 'add', device });
  return [
    add(make('ParaVirtualSCSIController', { key: -1, busNumber: 0, sharedBus: 'noSharing' })),
    add(
      make('VirtualDisk', {
        key: -2,
        controllerKey: -1,
        unitNumber: 0,
        capacityInKB: 0,
        backing: make('VirtualDiskFlatVer2BackingInfo', { fileName: disk, diskMode: 'persistent' }),
      }),
    ),
    add(
      make('VirtualVmxnet3', {
        key: -3,
        addressType: 'generated',
        backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName: NETWORK }),
        connectable: make('VirtualDeviceConnectInfo', {
          startConnected: true,
          allowGuestControl: true,
          connected: true,
        }),
      }),
    ),
  ];
}
