// Destroys a VM on its host as a part of something larger; resolves when the inventory no longer has it.
import type { MoRef } from '@vivarium/vim';
import { type Call, descriptionIdOf } from '@vivarium/vmomi';
import type { Center } from '../center.ts';

export async function destroyVm(
  { service, inventory, forwarder }: Center,
  vm: MoRef<'VirtualMachine'>,
  call: Call,
): Promise<void> {
  const { host } = inventory.get(vm);
  const task = { host, method: 'Destroy_Task', args: {} };
  const descriptionId = descriptionIdOf('VirtualMachine', 'Destroy_Task');
  await service.tasks.run({ entity: vm, descriptionId, call }, (handle) =>
    forwarder.run(vm, task, { call, task: handle.ref, signal: handle.signal, progress: handle.progress }),
  );
}
