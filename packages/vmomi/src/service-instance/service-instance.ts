// The managed object ServiceInstance: where every client starts.
import { dateTime } from '@vivarium/base';
import { type Capability, make, moRef } from '@vivarium/vim';
import type { Service } from '../service.ts';
import type { Personality } from './well-known.ts';

/** The one reference that clients know before they ask. */
export const SERVICE_INSTANCE = moRef('ServiceInstance', 'ServiceInstance');

export function addServiceInstance(service: Service): void {
  const { graph, clock } = service;
  graph.add<'ServiceInstance'>(
    SERVICE_INSTANCE,
    { content: service.content, capability: capability(service.instance) },
    {
      CurrentTime: () => dateTime(clock),
      RetrieveServiceContent: () => service.content,
      RetrieveProductComponents: () => [],
    },
    { computed: { serverClock: () => dateTime(clock) } },
  );
}

function capability(personality: Personality): Capability {
  const isCenter = personality === 'VirtualCenter';
  return make('Capability', {
    provisioningSupported: isCenter,
    multiHostSupported: isCenter,
    userShellAccessSupported: !isCenter,
    networkBackupAndRestoreSupported: !isCenter,
  });
}
