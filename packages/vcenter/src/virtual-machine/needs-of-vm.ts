// What a VM that is there needs of a host, out of its configuration in the graph: for placement.
import { expectedDemand, type VmNeeds } from '@vivarium/drs';
import { isA, type MoRef, moRef, type VirtualDevice, type VirtualMachineConfigInfo } from '@vivarium/vim';
import type { Center } from '../center.ts';
import { portgroupRef } from '../distributed-switch/hidden-network.ts';
import { reservationOf } from '../resource-pool/vm-reservation.ts';
import { MHZ_PER_CPU, NOTHING, UNLIMITED } from './vm-needs.ts';

/** `pool`: the one that it is to be in. */
export function needsOfVm(center: Center, vm: MoRef<'VirtualMachine'>, pool: MoRef<'ResourcePool'>): VmNeeds {
  const { service, inventory } = center;
  const record = inventory.get(vm);
  const object = service.graph.get(vm);
  const config = object.get('config') as VirtualMachineConfigInfo | undefined;
  const summary = object.get('summary');
  const { numCpu = 1, memorySizeMB = 0 } = summary?.config ?? {};
  const reservation = reservationOf(summary);
  const datastoreNamed = new Map(
    (object.get('datastore') ?? []).map((ref) => [inventory.find(ref)?.name ?? '', ref] as const),
  );
  const onDatastore = (path: string | undefined) => {
    const name = /^\[([^\]]+)\]/.exec(path ?? '')?.[1] ?? '';
    const datastore = datastoreNamed.get(name);
    return datastore ? [{ datastore, name }] : [];
  };
  const devices = config?.hardware.device ?? [];
  const home = onDatastore(summary?.config.vmPathName)[0] ?? {
    datastore: homeOf(center, record.host, record.datastoreUrl),
    name: '',
  };
  return {
    vm,
    name: record.name,
    pool: pool.value,
    numCpu,
    memoryMB: memorySizeMB,
    hardwareVersion: config?.version ?? '',
    home,
    disks: devices.flatMap(({ backing, deviceInfo }) => {
      const fileName = isA('VirtualDeviceFileBackingInfo', backing) ? backing.fileName : '';
      return onDatastore(fileName).map((place) => ({ ...place, label: deviceInfo?.label ?? '', fileName }));
    }),
    nics: devices.flatMap((device) => nicOf(center, device)),
    featureRequirements: [],
    reservation,
    demand: expectedDemand({ numCpu, memoryMB: memorySizeMB, reservation: NOTHING, limit: UNLIMITED }, MHZ_PER_CPU),
  };
}

function homeOf({ inventory, index }: Center, host: MoRef<'HostSystem'>, url: string): MoRef<'Datastore'> {
  const datacenter = inventory.above(host, 'Datacenter');
  return (datacenter && index.datastoreAt(datacenter, url)) ?? moRef('Datastore', url);
}

function nicOf({ inventory }: Center, { backing, deviceInfo, connectable }: VirtualDevice): VmNeeds['nics'] {
  const network = isA('VirtualEthernetCardDistributedVirtualPortBackingInfo', backing)
    ? portgroupRef(backing.port.portgroupKey ?? '')
    : isA('VirtualEthernetCardNetworkBackingInfo', backing)
      ? backing.network
      : undefined;
  if (!network) return [];
  return [
    {
      label: deviceInfo?.label ?? 'Network adapter',
      networkName: inventory.find(network as MoRef<'Network'>)?.name ?? network.value,
      network: network as MoRef<'Network'>,
      isConnected: connectable?.startConnected ?? true,
    },
  ];
}
