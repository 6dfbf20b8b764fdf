// A picture of a VM's screen, made by the host that runs it.
import { MethodFault, type MoRef } from '@vivarium/vim';
import type { Center } from '../center.ts';
import { HostUnreachable } from '../host-link/host-link.ts';

/** PNG. Faults: ManagedObjectNotFound, InvalidPowerState, HostNotConnected, HostCommunication. */
export async function screenOf(
  { service, inventory, hosts }: Pick<Center, 'service' | 'inventory' | 'hosts'>,
  vm: MoRef<'VirtualMachine'>,
): Promise<Uint8Array> {
  const existingState = service.graph.get(vm).get('runtime')?.powerState;
  if (existingState !== 'poweredOn') {
    throw new MethodFault('InvalidPowerState', {
      requestedState: 'poweredOn',
      existingState: existingState ?? 'poweredOff',
    });
  }
  const { link, mirror } = hosts.connected(inventory.get(vm).host);
  const local = mirror.refs.hostOf(vm);
  if (!local) throw new MethodFault('ManagedObjectNotFound', { obj: vm as MoRef });
  try {
    return await link.screen(local);
  } catch (error) {
    if (error instanceof HostUnreachable) throw new MethodFault('HostCommunication', {}, error.message);
    throw error;
  }
}
