// For tests: what the devices in a specification need, on the VM and on the datastores and networks that they come to.
import type { MoRef } from '@vivarium/vim';
import { datacenterOf, datastoresNear, type Need, need, onDatastore, read } from './need.ts';
import type { World } from './world.ts';

interface DeviceChange {
  readonly operation?: string;
  readonly fileOperation?: string;
  readonly device: {
    readonly _typeName: string;
    readonly key: number;
    readonly backing?: {
      readonly fileName?: string;
      readonly network?: MoRef;
      readonly deviceName?: string;
      readonly datastore?: MoRef;
    };
  };
}

export function deviceChanges(spec: unknown): readonly DeviceChange[] {
  return (spec as { deviceChange?: readonly DeviceChange[] }).deviceChange ?? [];
}

export function deviceRight({ operation, fileOperation, device }: DeviceChange): string {
  if (operation === 'edit') return 'EditDevice';
  if (device._typeName !== 'VirtualDisk') return 'AddRemoveDevice';
  if (operation === 'remove') return 'RemoveDisk';
  return fileOperation === undefined ? 'AddExistingDisk' : 'AddNewDisk';
}

/** Files and networks that devices come to. */
export function devices(
  world: World,
  target: MoRef,
  spec: unknown,
  known: ReadonlyMap<number, DeviceChange['device']>,
): Need[] {
  return deviceChanges(spec).flatMap(({ operation, fileOperation, device }) => {
    if (operation === 'remove') return [];
    const { fileName, network, deviceName, datastore } = device.backing ?? {};
    const former = known.get(device.key)?.backing;
    const right = fileOperation === undefined ? 'Datastore.Browse' : 'Datastore.AllocateSpace';
    const home = read<string | undefined>(world, target, 'config.files.vmPathName', undefined);
    const isFile = fileName !== undefined && fileName !== former?.fileName;
    const path = fileName?.startsWith('[') ? fileName : datastore ? undefined : home;
    const isNetwork = deviceName !== undefined && deviceName !== former?.deviceName;
    const networks = [
      ...(network ? [network] : []),
      ...world
        .entities()
        .filter(
          (ref) =>
            ref.type === 'Network' &&
            read(world, ref, 'name', '') === deviceName &&
            datacenterOf(world, ref)?.value === datacenterOf(world, target)?.value,
        ),
    ];
    return [
      ...(isFile ? onDatastore(world, target, right, path) : []),
      ...need(right, datastore),
      ...(isNetwork ? need('Network.Assign', ...networks) : []),
    ];
  });
}

export function present(world: World, vm: MoRef): ReadonlyMap<number, DeviceChange['device']> {
  const list = read<DeviceChange['device'][]>(world, vm, 'config.hardware.device', []);
  return new Map(list.map((device) => [device.key, device]));
}

/** Of a VM that is made: its devices, and the room for its files. */
export function newVm(world: World, near: MoRef, config: object): Need[] {
  const { files } = config as { files?: { vmPathName?: string } };
  const isPlaced = (files?.vmPathName ?? '').trim() !== '';
  return [
    ...devices(world, near, config, new Map()),
    ...(isPlaced
      ? onDatastore(world, near, 'Datastore.AllocateSpace', files?.vmPathName)
      : need('Datastore.AllocateSpace', ...datastoresNear(world, near))),
  ];
}
