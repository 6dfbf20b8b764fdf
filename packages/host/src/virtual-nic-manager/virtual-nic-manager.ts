// HostVirtualNicManager: what the host's own adapters are for. There is one, and it is for management.
import { type Handlers, type HostNetworkInfo, moRef } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import { queryNetConfig, virtualNicManagerInfo } from './net-config.ts';

export const VIRTUAL_NIC_MANAGER = moRef('HostVirtualNicManager', 'ha-vnic-mgr');

/** The host's `config.network` has to be set already. Returns the way to stop following it. */
export function addVirtualNicManager({ graph }: Pick<Service, 'graph'>): () => void {
  const network = () => graph.get(refs.host).getPath('config.network') as HostNetworkInfo | undefined;
  const handlers: Handlers<'HostVirtualNicManager', Call> = {
    QueryNetConfig: ({ nicType }) => queryNetConfig(network(), nicType),
  };
  const manager = graph.add(VIRTUAL_NIC_MANAGER, {}, handlers, { entity: refs.host });
  const show = () => {
    const info = virtualNicManagerInfo(network());
    manager.set('info', info);
    graph.get(refs.host).set('config.virtualNicManagerInfo', info);
  };
  show();
  return graph.subscribe(refs.host, (change) => {
    if (change.kind === 'modified' && change.paths.includes('config.network')) queueMicrotask(show);
  });
}
