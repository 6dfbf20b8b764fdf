// The devices of a saved VM as additions to one that has none: controllers first, then what is on them. Pure.
import {
  isA,
  make,
  moRef,
  type Told,
  type VirtualDevice,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { HostNames } from './load-switches.ts';
import { type Loading, nameOf } from './loading.ts';
import { wrong } from './saved-object.ts';
import type { TreeNode } from './saved-tree.ts';

type Device = Told<VirtualDevice> & { readonly _typeName: string };
type Change = Pick<VirtualMachineConfigSpec, 'deviceChange'>;

export interface DeviceWork {
  readonly node: TreeNode;
  readonly saved: Told<VirtualMachineConfigInfo>;
  readonly hostNames: HostNames;
  /** Of the host, by name. */
  readonly datastores: ReadonlyMap<string, unknown>;
}

/** Those that every VM has: nothing has to be added. */
const FIXED = [
  'VirtualPCIController',
  'VirtualPS2Controller',
  'VirtualSIOController',
  'VirtualIDEController',
  'VirtualKeyboard',
  'VirtualPointingDevice',
  'VirtualMachineVideoCard',
  'VirtualMachineVMCIDevice',
] as const;
const CONTROLLERS = [
  'VirtualSCSIController',
  'VirtualSATAController',
  'VirtualNVMEController',
  'VirtualUSBController',
  'VirtualUSBXHCIController',
] as const;
/** Before drives that may go elsewhere: of two that say that they are at one place the disk keeps it. */
const DISKS = ['VirtualDisk'] as const;
const OTHERS = ['VirtualCdrom', 'VirtualFloppy', 'VirtualEthernetCard', 'VirtualSerialPort'] as const;
const IDE_KEY = 200;

/** Each with the ways in which it may be taken, the best first. Throws FlagError. */
export function deviceSpecs(
  loading: Loading,
  work: DeviceWork,
): { readonly what: string; readonly ways: readonly Change[] }[] {
  const devices = [...(work.saved.hardware?.device ?? [])] as unknown as Device[];
  const kinds = [CONTROLLERS, DISKS, OTHERS];
  const rank = (device: Device) => kinds.findIndex((types) => isOne(types, device));
  const keys = controllerKeys(devices);
  return devices
    .filter((device) => !isOne(FIXED, device))
    .sort((a, b) => rank(a) - rank(b) || (a.key ?? 0) - (b.key ?? 0))
    .map((device) => {
      const what = device._typeName;
      if (rank(device) < 0) {
        loading.leftOut.note(what);
        return { what, ways: [] };
      }
      const added = waysOf(loading, work, {
        ...device,
        ...(device.controllerKey === undefined
          ? {}
          : { controllerKey: keys.get(device.controllerKey) ?? device.controllerKey }),
      });
      return { what, ways: added.map((change) => ({ deviceChange: [change as never] })) };
    })
    .filter(({ ways }) => ways.length > 0);
}

function isOne(
  types: readonly (typeof FIXED | typeof CONTROLLERS | typeof DISKS | typeof OTHERS)[number][],
  device: unknown,
): boolean {
  return types.some((type) => isA(type, device));
}

/** Saved key → the key that ours has once it is added: by bus, as VMware numbers them. */
function controllerKeys(devices: readonly Device[]): ReadonlyMap<number, number> {
  const bases = [
    ['VirtualSCSIController', 1000],
    ['VirtualAHCIController', 15000],
    ['VirtualNVMEController', 31000],
    ['VirtualIDEController', IDE_KEY],
  ] as const;
  return new Map(
    devices.flatMap((device) => {
      const base = bases.find(([type]) => isA(type, device));
      const { busNumber = 0 } = device as { readonly busNumber?: number };
      return base && device.key !== undefined ? [[device.key, base[1] + busNumber] as const] : [];
    }),
  );
}

function waysOf(loading: Loading, work: DeviceWork, device: Device): object[] {
  const add = (one: object, fileOperation?: 'create') =>
    make('VirtualDeviceConfigSpec', { operation: 'add', device: one as never, fileOperation });
  if (isA('VirtualDisk', device)) {
    const disk = diskOf(work, device);
    // One that another VM has already is shared.
    return disk ? [add(disk, 'create'), add(disk), add(anywhere(disk), 'create')] : [add(device)];
  }
  if (isA('VirtualEthernetCard', device)) {
    const card = cardOf(loading, work, device);
    return [
      add(card),
      add({ ...card, addressType: 'manual' }),
      add({ ...card, addressType: 'generated', macAddress: undefined }),
    ];
  }
  if (isA('VirtualCdrom', device)) {
    const empty = {
      ...device,
      backing: make('VirtualCdromAtapiBackingInfo', { deviceName: 'cdrom', useAutoDetect: false }),
    };
    return [add(device), add(empty), add(anywhere(device)), add(anywhere(empty))];
  }
  return [add(device)];
}

/** Where there is room for it, with the shares that disks usually have. */
function anywhere(device: object): object {
  return {
    ...device,
    controllerKey: undefined,
    unitNumber: undefined,
    storageIOAllocation: undefined,
    shares: undefined,
  };
}

/** Its own file, whatever it was made from. Undefined: it has none. Throws FlagError. */
function diskOf({ node, datastores }: DeviceWork, device: Told<VirtualDevice>): object | undefined {
  const { backing } = device;
  if (!isA('VirtualDiskFlatVer2BackingInfo', backing)) return undefined;
  const {
    fileName = '',
    diskMode,
    thinProvisioned,
    eagerlyScrub,
    writeThrough,
    uuid,
    sharing,
  } = backing as Partial<typeof backing>;
  const [, datastore] = /^\[([^\]]*)\]/.exec(fileName) ?? [];
  if (datastore === undefined || !datastores.has(datastore)) {
    throw wrong(node.object, `its host does not mount the datastore of ${fileName === '' ? 'a disk' : fileName}`);
  }
  const plain = make('VirtualDiskFlatVer2BackingInfo', {
    fileName,
    diskMode: diskMode ?? 'persistent',
    thinProvisioned,
    eagerlyScrub,
    writeThrough,
    uuid,
    sharing,
  });
  return { ...device, backing: plain };
}

/** On the network that the host has for it. */
function cardOf({ tree }: Loading, { hostNames }: DeviceWork, device: Told<VirtualDevice>): object {
  const { backing } = device;
  const port = isA('VirtualEthernetCardDistributedVirtualPortBackingInfo', backing)
    ? (backing as Told<typeof backing>).port
    : undefined;
  const network = isA('VirtualEthernetCardNetworkBackingInfo', backing) ? tree.find(backing.network) : undefined;
  const hidden = port && hostNames.get(port.portgroupKey ?? '');
  const deviceName = hidden ?? (network && nameOf(network));
  if (deviceName === undefined) return device;
  const on = make('VirtualEthernetCardNetworkBackingInfo', {
    deviceName,
    network: moRef('Network', `HaNetwork-${deviceName}`),
  });
  return { ...device, backing: on };
}
