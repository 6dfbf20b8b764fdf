// What the command line tells of VMs: one read of the inventory.

import type { VimClient } from '@vivarium/client';
import { type MoRef, moRef, type ObjectContent } from '@vivarium/vim';

export interface VmRow {
  readonly name: string;
  readonly ref: MoRef<'VirtualMachine'>;
  readonly powerState: string;
  readonly ipAddress?: string;
  readonly toolsRunning: boolean;
}

export async function listVms(client: VimClient): Promise<VmRow[]> {
  const content = await client.content();
  const { viewManager } = content;
  if (!viewManager) throw new Error('the endpoint has no ViewManager');
  const view = await client.call(viewManager, 'CreateContainerView', {
    container: content.rootFolder,
    type: ['VirtualMachine'],
    recursive: true,
  });
  try {
    const result = await client.call(content.propertyCollector, 'RetrievePropertiesEx', {
      specSet: [
        {
          propSet: [
            {
              type: 'VirtualMachine',
              pathSet: ['name', 'runtime.powerState', 'guest.ipAddress', 'guest.toolsRunningStatus'],
            },
          ],
          objectSet: [
            {
              obj: view,
              skip: true,
              selectSet: [{ _typeName: 'TraversalSpec', type: 'ContainerView', path: 'view', skip: false } as never],
            },
          ],
        },
      ],
      options: {},
    });
    return (result?.objects ?? []).map(toRow);
  } finally {
    await client.call(view, 'DestroyView', {} as never);
  }
}

function toRow(object: ObjectContent): VmRow {
  const values = new Map(object.propSet?.map(({ name, val }) => [name, plain(val)]));
  const ipAddress = values.get('guest.ipAddress');
  return {
    name: String(values.get('name') ?? ''),
    ref: moRef('VirtualMachine', object.obj.value),
    powerState: String(values.get('runtime.powerState') ?? ''),
    ...(ipAddress === undefined ? {} : { ipAddress: String(ipAddress) }),
    toolsRunning: values.get('guest.toolsRunningStatus') === 'guestToolsRunning',
  };
}

function plain(value: unknown): unknown {
  return typeof value === 'object' && value !== null && '_value' in value ? value._value : value;
}
