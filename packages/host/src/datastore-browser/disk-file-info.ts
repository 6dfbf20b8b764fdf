// What a search tells of a virtual disk, and whether a query's filter wants it. Pure.
import type { VmDiskFileInfo, VmDiskFileQueryFilter, VmDiskFileQueryFlags } from '@vivarium/vim';
import {
  capacityOf,
  checkUpload,
  diskFactsOf,
  inspectVmdkHeader,
  parseVmdkDescriptor,
  type VmdkDescriptor,
  VmdkSyntaxError,
} from '@vivarium/vmx';
import type { DiskHead } from '../virtual-disk-manager/virtual-disk.ts';

/** Everything that a search can tell of a disk; undefined when the file cannot be understood. */
export type DiskDetails = Required<Pick<VmDiskFileInfo, 'capacityKb' | 'controllerType' | 'diskExtents' | 'thin'>> & {
  readonly diskType: string;
  readonly hardwareVersion: number;
};

const controllers: Readonly<Record<string, string>> = {
  ide: 'VirtualIDEController',
  buslogic: 'VirtualBusLogicController',
  lsilogic: 'VirtualLsiLogicController',
  pvscsi: 'ParaVirtualSCSIController',
};

/** `extentText` gives the datastore path of a name in the disk's folder. */
export function diskDetails(head: DiskHead, extentText: (name: string) => string): DiskDetails | undefined {
  const descriptor = descriptorOf(head);
  if (!descriptor) return undefined;
  const facts = diskFactsOf(descriptor);
  const isSparse = head.kind === 'foreign' || descriptor.createType === 'vmfsSparse';
  const names = descriptor.extents.map(({ fileName }) => fileName).filter((name) => name !== undefined);
  return {
    diskType: isSparse ? 'VirtualDiskSparseVer2BackingInfo' : 'VirtualDiskFlatVer2BackingInfo',
    capacityKb: Math.floor(capacityOf(descriptor) / 1024),
    hardwareVersion: Number.parseInt(descriptor.ddb.get('virtualHWVersion') ?? '4', 10) || 4,
    controllerType: controllers[facts.adapter] ?? 'VirtualLsiLogicController',
    diskExtents: names.map(extentText),
    thin: facts.provisioning === 'thin' || head.kind === 'foreign',
  };
}

/** Whether the filter wants the disk; one that cannot be understood passes only a filter that asks for nothing. */
export function passesFilter(details: DiskDetails | undefined, filter: VmDiskFileQueryFilter | undefined): boolean {
  if (!filter) return true;
  const { diskType = [], matchHardwareVersion = [], controllerType = [], thin, encrypted } = filter;
  if (encrypted === true) return false;
  const asks = diskType.length + matchHardwareVersion.length + controllerType.length > 0 || thin !== undefined;
  if (!asks || !details) return !asks;
  return (
    (diskType.length === 0 || diskType.includes(details.diskType)) &&
    (matchHardwareVersion.length === 0 || matchHardwareVersion.includes(details.hardwareVersion)) &&
    (controllerType.length === 0 || controllerType.includes(details.controllerType)) &&
    (thin === undefined || thin === details.thin)
  );
}

/** The details that the flags ask for. */
export function flaggedDetails(details: DiskDetails, flags: VmDiskFileQueryFlags): Partial<VmDiskFileInfo> {
  return {
    ...(flags.diskType ? { diskType: details.diskType } : {}),
    ...(flags.capacityKb ? { capacityKb: details.capacityKb } : {}),
    ...(flags.hardwareVersion ? { hardwareVersion: details.hardwareVersion } : {}),
    ...(flags.controllerType ? { controllerType: details.controllerType } : {}),
    ...(flags.diskExtents ? { diskExtents: details.diskExtents } : {}),
    ...(flags.thin ? { thin: details.thin } : {}),
    ...(flags.encryption ? { encryption: { _typeName: 'VmDiskFileEncryptionInfo' } } : {}),
    ...(flags.sectorFormat ? { sectorFormat: 'native_512' } : {}),
  };
}

function descriptorOf(head: DiskHead): VmdkDescriptor | undefined {
  if (head.kind === 'ours') return head.descriptor;
  const { file } = head;
  if (inspectVmdkHeader(file.head).kind !== 'descriptor') {
    const plan = checkUpload(file, () => undefined);
    return plan.kind === 'refused' ? undefined : plan.descriptor;
  }
  try {
    return parseVmdkDescriptor(file.head);
  } catch (error) {
    if (error instanceof VmdkSyntaxError) return undefined;
    throw error;
  }
}
