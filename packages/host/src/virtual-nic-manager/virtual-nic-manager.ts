// HostVirtualNicManager: what the host's own adapters are for. There is one, and it is for management.
import {
  type Handlers,
  type HostNetworkInfo,
  MethodFault,
  make,
  moRef,
  type VirtualNicManagerNetConfig,
} from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';

export const VIRTUAL_NIC_MANAGER = moRef('HostVirtualNicManager', 'ha-vnic-mgr');

/** What an adapter can be for on a host of vSphere's (enum HostVirtualNicManagerNicType). */
const NIC_TYPES: readonly string[] = [
  'vmotion',
  'faultToleranceLogging',
  'vSphereReplication',
  'vSphereReplicationNFC',
  'management',
  'vsan',
  'vSphereProvisioning',
  'vsanWitness',
  'vSphereBackupNFC',
  'ptp',
  'vsanReplication',
  'nvmeTcp',
  'nvmeRdma',
  'vsanExternal',
];

/** The host's `config.network` has to be set already. Returns the way to stop following it. */
export function addVirtualNicManager({ graph }: Pick<Service, 'graph'>): () => void {
  const network = () => graph.get(refs.host).getPath('config.network') as HostNetworkInfo | undefined;
  const handlers: Handlers<'HostVirtualNicManager', Call> = {
    QueryNetConfig({ nicType }) {
      if (!NIC_TYPES.includes(nicType)) throw new MethodFault('InvalidArgument', { invalidProperty: 'nicType' });
      if (nicType === 'management') return managementConfig(network());
      return make('VirtualNicManagerNetConfig', { nicType, multiSelectAllowed: false });
    },
  };
  const manager = graph.add(VIRTUAL_NIC_MANAGER, {}, handlers, { entity: refs.host });
  const show = () => {
    const info = make('HostVirtualNicManagerInfo', { netConfig: [managementConfig(network())] });
    manager.set('info', info);
    graph.get(refs.host).set('config.virtualNicManagerInfo', info);
  };
  show();
  return graph.subscribe(refs.host, (change) => {
    if (change.kind === 'modified' && change.paths.includes('config.network')) queueMicrotask(show);
  });
}

function managementConfig(network: HostNetworkInfo | undefined): VirtualNicManagerNetConfig {
  const nics = network?.vnic ?? [];
  return make('VirtualNicManagerNetConfig', {
    nicType: 'management',
    multiSelectAllowed: true,
    candidateVnic: [...nics],
    selectedVnic: nics.map(({ key }) => `management.${key}`),
  });
}
