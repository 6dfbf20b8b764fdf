// What a licence can be assigned to: vCenter itself, hosts and clusters; under an ESXi the host alone.
import { type MoRef, moRef } from '@vivarium/vim';
import type { Service } from '../service.ts';

export interface Asset {
  /** As LicenseAssignmentManager knows it: vCenter's instance UUID, or the value of a reference. */
  readonly id: string;
  readonly name: string;
  /** Undefined for vCenter itself. */
  readonly ref?: MoRef<'ManagedEntity'>;
}

const TYPES = ['HostSystem', 'ClusterComputeResource'] as const;

export function findAsset({ graph, instance, content: { about } }: Service, id: string): Asset | undefined {
  if (instance === 'VirtualCenter' && id === about.instanceUuid) return { id, name: about.name };
  for (const type of TYPES) {
    const entity = graph.find(moRef(type, id));
    if (entity) return { id, name: entity.get('name') ?? '', ref: entity.ref };
  }
  return undefined;
}

/** Of clusters those that `isAssigned` says; they need no licence of their own. */
export function licensedAssets(service: Service, isAssigned: (id: string) => boolean): Asset[] {
  const { graph, content } = service;
  const hosts = Array.from(graph.ofType('HostSystem'), ({ ref }) => ref.value);
  const clusters = Array.from(graph.ofType('ClusterComputeResource'), ({ ref }) => ref.value).filter(isAssigned);
  const { instanceUuid } = content.about;
  return [...(instanceUuid === undefined ? [] : [instanceUuid]), ...hosts, ...clusters].flatMap(
    (id) => findAsset(service, id) ?? [],
  );
}
