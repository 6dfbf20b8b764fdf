// What the adapters of a host's network are for: the one that it has is for management. Pure.
import {
  type HostNetworkInfo,
  type HostVirtualNicManagerInfo,
  MethodFault,
  make,
  type VirtualNicManagerNetConfig,
} from '@vivarium/vim';

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

export function virtualNicManagerInfo(network: HostNetworkInfo | undefined): HostVirtualNicManagerInfo {
  return make('HostVirtualNicManagerInfo', { netConfig: [managementConfig(network)] });
}

/** Fault: InvalidArgument for a word that is no type of adapter. */
export function queryNetConfig(network: HostNetworkInfo | undefined, nicType: string): VirtualNicManagerNetConfig {
  if (!NIC_TYPES.includes(nicType)) throw new MethodFault('InvalidArgument', { invalidProperty: 'nicType' });
  if (nicType === 'management') return managementConfig(network);
  return make('VirtualNicManagerNetConfig', { nicType, multiSelectAllowed: false });
}

function managementConfig(network: HostNetworkInfo | undefined): VirtualNicManagerNetConfig {
  // As on ESXi: what is selected is named by the keys of the candidates, which begin with what they are for.
  const nics = (network?.vnic ?? []).map((nic) => ({ ...nic, key: `management.${nic.key}` }));
  return make('VirtualNicManagerNetConfig', {
    nicType: 'management',
    multiSelectAllowed: true,
    candidateVnic: nics,
    selectedVnic: nics.map(({ key }) => key),
  });
}
