// How each type of entity looks and what it does. A table.
import type { Center } from '../center.ts';
import { clusterFace, computeResourceFace } from '../compute-resource/compute-resource-face.ts';
import { datacenterFace } from '../datacenter/datacenter-face.ts';
import { datastoreFace } from '../datastore/datastore-face.ts';
import { portgroupFace } from '../distributed-switch/portgroup-face.ts';
import { switchFace } from '../distributed-switch/switch-face.ts';
import { folderFace } from '../folder/folder-face.ts';
import { hostFace } from '../host-system/host-face.ts';
import { networkFace } from '../network/network-face.ts';
import { resourcePoolFace } from '../resource-pool/resource-pool-face.ts';
import { storagePodFace } from '../storage-pod/storage-pod-face.ts';
import { virtualAppFace } from '../virtual-app/virtual-app-face.ts';
import { vmFace } from '../virtual-machine/vm-face.ts';
import type { EntityFaces } from './publisher.ts';

export function entityFaces(center: Center): EntityFaces {
  return {
    Folder: folderFace(center),
    StoragePod: storagePodFace(center),
    Datacenter: datacenterFace(center),
    ComputeResource: computeResourceFace(center),
    ClusterComputeResource: clusterFace(center),
    ResourcePool: resourcePoolFace(center),
    VirtualApp: virtualAppFace(center),
    HostSystem: hostFace(center),
    VirtualMachine: vmFace(center),
    Datastore: datastoreFace(center),
    Network: networkFace(),
    VmwareDistributedVirtualSwitch: switchFace(center),
    DistributedVirtualPortgroup: portgroupFace(center),
  };
}
