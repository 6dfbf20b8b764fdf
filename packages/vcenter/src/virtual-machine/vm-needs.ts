// What a VM that is being made needs of a host, out of its specification: for placement.
import { expectedDemand, type StorageNeed, type VmNeeds } from '@vivarium/drs';
import { isA, MethodFault, type MoRef, moRef, type VirtualDevice, type VirtualMachineConfigSpec } from '@vivarium/vim';
import type { Center } from '../center.ts';
import { portgroupRef } from '../distributed-switch/hidden-network.ts';

export const NOTHING = { cpuMhz: 0, memoryMB: 0 };
export const UNLIMITED = { cpuMhz: Infinity, memoryMB: Infinity };
/** Only for the ranking of hosts: what one logical CPU is taken to do. */
export const MHZ_PER_CPU = 2000;

/** `elsewhere`: where its files come when it names no datastore. Faults: InvalidDatastore, when the specification names one that the datacenter does not have. */
export function needsOfSpec(
  center: Center,
  pool: MoRef<'ResourcePool'>,
  spec: VirtualMachineConfigSpec,
  hardwareVersion: string,
  elsewhere?: VmNeeds['home'],
): VmNeeds {
  const datacenter = center.inventory.above(pool, 'Datacenter');
  const onDatastore = (path: string | undefined) => {
    const name = /^\[([^\]]+)\]/.exec(path ?? '')?.[1];
    return name === undefined ? undefined : { name, datastore: findDatastore(center, datacenter, name) };
  };
  const devices = (spec.deviceChange ?? []).map(({ device }) => device);
  const numCpu = spec.numCPUs ?? 1;
  const memoryMB = spec.memoryMB ?? 32;
  const disks = devices.flatMap(({ backing }) => {
    const fileName = isA('VirtualDeviceFileBackingInfo', backing) ? backing.fileName : undefined;
    const place = onDatastore(fileName);
    return place ? [{ ...place, label: 'Hard disk', fileName: fileName ?? '' }] : [];
  });
  const home = onDatastore(spec.files?.vmPathName) ?? disks[0] ?? elsewhere;
  if (!home) throw new MethodFault('InvalidDatastorePath', { datastorePath: spec.files?.vmPathName ?? '' });
  return {
    vm: moRef('VirtualMachine', 'to-be-made'),
    name: spec.name ?? '',
    pool: pool.value,
    numCpu,
    memoryMB,
    hardwareVersion,
    home,
    disks,
    nics: devices.flatMap((device) => distributedNic(center, device)),
    featureRequirements: [],
    // Nothing is reserved before it runs.
    reservation: NOTHING,
    demand: expectedDemand({ numCpu, memoryMB, reservation: NOTHING, limit: UNLIMITED }, MHZ_PER_CPU),
  };
}

/** What its files take of a datastore. */
export function storageOfSpec({
  deviceChange = [],
  memoryMB = 32,
  memoryAllocation,
}: VirtualMachineConfigSpec): StorageNeed {
  const disks = deviceChange.flatMap(({ device, fileOperation }) => {
    if (fileOperation !== 'create' || !isA('VirtualDisk', device)) return [];
    const backing = isA('VirtualDiskFlatVer2BackingInfo', device.backing) ? device.backing : undefined;
    const thick = backing?.eagerlyScrub ? ('eagerZeroedThick' as const) : ('thick' as const);
    return [
      {
        capacityBytes: device.capacityInBytes ?? device.capacityInKB * 1024,
        provisioning: backing?.thinProvisioned ? ('thin' as const) : thick,
      },
    ];
  });
  return { disks, memoryMB, memoryReservationMB: memoryAllocation?.reservation ?? 0 };
}

/** A card on a distributed port group: only members of its switch can run the VM. */
function distributedNic({ inventory }: Center, { backing, deviceInfo, connectable }: VirtualDevice): VmNeeds['nics'] {
  if (!isA('VirtualEthernetCardDistributedVirtualPortBackingInfo', backing)) return [];
  const network = portgroupRef(backing.port.portgroupKey ?? '');
  return [
    {
      label: deviceInfo?.label ?? 'Network adapter',
      networkName: inventory.find(network)?.name ?? network.value,
      network,
      isConnected: connectable?.startConnected ?? true,
    },
  ];
}

function findDatastore({ index }: Center, datacenter: MoRef | undefined, name: string): MoRef<'Datastore'> {
  const found = datacenter && index.datastoreNamed(datacenter, name);
  if (found) return found;
  throw new MethodFault('InvalidDatastore', { name }, `There is no datastore '${name}' in this datacenter.`);
}
