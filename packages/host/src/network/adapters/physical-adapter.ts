// The network adapters of the machine as a host knows them: vmnic0, vmnic1 … Pure.
import type { MachineNetwork, PhysicalDevice } from '../machine/machine-network.ts';
import { defaultRoute } from '../machine/route-table.ts';

export interface PhysicalAdapter extends PhysicalDevice {
  /** `vmnic0`: stays this adapter's for good. */
  readonly name: string;
  /** Why no switch can have it, and what to do then; absent = one can. */
  readonly obstacle?: string;
}

/** The names that adapters have, in the order that these came: `vmnic0` is the first one's, by its device's name. */
export function withNames(known: readonly string[], devices: readonly string[]): string[] {
  return [...known, ...devices.filter((device) => !known.includes(device))];
}

export function vmnicName(index: number): string {
  return `vmnic${index}`;
}

export function isVmnicName(name: string): boolean {
  return /^vmnic\d+$/.test(name);
}

/** All of a machine's, for a host that nobody else shares it with. */
export function freeAdapters({ physical }: Pick<MachineNetwork, 'physical'>): PhysicalAdapter[] {
  return physical.map((device, index) => ({ ...device, name: vmnicName(index) }));
}

/**
 * An adapter that goes onto a switch is the machine's no more. `isNamed`: the administrator has said that it is Vivarium's; the way
 * to the machine is not taken even so.
 */
export function obstacleOf(
  { device, usedBy }: Pick<PhysicalDevice, 'device' | 'usedBy'>,
  machine: Pick<MachineNetwork, 'addresses' | 'addresses6' | 'routes'>,
  isNamed: boolean,
): string | undefined {
  if (defaultRoute(machine.routes)?.device === device) {
    return `${device} is this machine's way to its network (its default route): give the machine another one first`;
  }
  if (usedBy.length > 0) {
    return `${device} is in use by ${usedBy.join(', ')} on this machine: take it out of there first`;
  }
  if (isNamed) return undefined;
  const address = [...machine.addresses, ...machine.addresses6].find((entry) => entry.device === device)?.address;
  const isRoute = machine.routes.some((route) => route.device === device);
  if (address === undefined && !isRoute) return undefined;
  const what = address === undefined ? 'routes of' : `the address ${address} of`;
  return `${device} carries ${what} this machine: start with viv up --uplink ${device} if the host may take it all the same`;
}
