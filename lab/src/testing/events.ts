import type { VimClient } from '@vivarium/client';
import { type Event, type MethodFault, make, moRef } from '@vivarium/vim';
import type { VmRef } from './lab-vm.ts';

/** The events about a VM, oldest first. */
export async function vmEvents(client: VimClient, vm: VmRef): Promise<Event[]> {
  const { eventManager } = await client.content();
  if (!eventManager) throw new Error('the host has no EventManager');
  const filter = make('EventFilterSpec', {
    entity: make('EventFilterSpecByEntity', { entity: vm, recursion: 'self' }),
  });
  const manager = moRef('EventManager', eventManager.value);
  return ((await client.call(manager, 'QueryEvents', { filter })) ?? []).toSorted((a, b) => a.key - b.key);
}

/** The fault's type, for who wants to see refusals. Anything that is no fault is thrown on. */
export async function faultName(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    const fault = (error as Partial<MethodFault>).fault;
    if (!fault?._typeName) throw error;
    return fault._typeName;
  }
}
