// Which host of a compute resource makes or runs a VM when none is named. Asks the graph what hosts are like; the choice is
// made by what is connected, can reach the VM's datastores and networks, and has most memory left.
import { type HostListSummary, isA, MethodFault, type MoRef, type VirtualMachineConfigSpec } from '@vivarium/vim';
import type { Center } from '../center.ts';

export interface HostChoice {
  readonly owner: MoRef<'ComputeResource'>;
  /** The one that was named. */
  readonly host?: MoRef<'HostSystem'> | undefined;
  readonly spec: VirtualMachineConfigSpec;
}

/** Faults: InvalidArgument (the host is elsewhere), HostNotConnected, InvalidDatastore, NoCompatibleHost. */
export function chooseHost(center: Center, { owner, host, spec }: HostChoice): MoRef<'HostSystem'> {
  const { hosts, inventory } = center;
  if (host) {
    if (inventory.get(host).parent.value !== owner.value) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'host' });
    }
    hosts.connected(host);
    return host;
  }
  const all = hosts.hostsOf(owner);
  const able = all.filter((ref) => hosts.isConnected(ref) && !inventory.get(ref).inMaintenanceMode);
  if (able.length === 0) throw new MethodFault('NoCompatibleHost', { host: all });
  const needed = datastoresOf(spec);
  const reaching = able.filter((ref) => needed.every((name) => hasDatastore(center, ref, name)));
  if (reaching.length === 0) {
    throw new MethodFault(
      'InvalidDatastore',
      { name: needed[0] },
      `no host here has the datastores ${needed.join(', ')}`,
    );
  }
  return reaching.reduce((best, ref) => (freeMemoryMB(center, ref) > freeMemoryMB(center, best) ? ref : best));
}

/** Names in `[name] path` of the .vmx and of the disks. */
function datastoresOf(spec: VirtualMachineConfigSpec): string[] {
  const paths = [spec.files?.vmPathName, ...(spec.deviceChange ?? []).map(({ device }) => fileOf(device.backing))];
  const names = paths.flatMap((path) => /^\[([^\]]+)\]/.exec(path ?? '')?.[1] ?? []);
  return [...new Set(names)];
}

function fileOf(backing: unknown): string | undefined {
  return isA('VirtualDeviceFileBackingInfo', backing) ? backing.fileName : undefined;
}

function hasDatastore({ service }: Center, host: MoRef<'HostSystem'>, name: string): boolean {
  const datastores = service.graph.find(host)?.get('datastore') ?? [];
  return datastores.some((ref) => service.graph.find(ref)?.get('name') === name);
}

function freeMemoryMB({ service }: Center, host: MoRef<'HostSystem'>): number {
  const summary = service.graph.find(host)?.getPath('summary') as HostListSummary | undefined;
  const totalMB = (summary?.hardware?.memorySize ?? 0) / 2 ** 20;
  return totalMB - (summary?.quickStats.overallMemoryUsage ?? 0);
}
