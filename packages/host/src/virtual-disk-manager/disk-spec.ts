// VirtualDiskSpec in the words of the vmx package. Pure.
import { isA, MethodFault, type VirtualDiskSpec } from '@vivarium/vim';
import type { DiskAdapter, DiskProvisioning } from '@vivarium/vmx';

/** VirtualDiskType values that a disk of a host's datastore can have; the others belong to hosted products or to devices. */
const provisionings: Readonly<Record<string, DiskProvisioning | undefined>> = {
  thin: 'thin',
  preallocated: 'lazyZeroedThick',
  thick: 'lazyZeroedThick',
  eagerZeroedThick: 'eagerZeroedThick',
};

const adapters: Readonly<Record<string, DiskAdapter | undefined>> = {
  ide: 'ide',
  buslogic: 'buslogic',
  lsilogic: 'lsilogic',
  pvscsi: 'pvscsi',
};

export interface DiskShape {
  readonly provisioning: DiskProvisioning;
  readonly adapter: DiskAdapter;
}

/** Throws InvalidArgument about `name`.diskType or `name`.adapterType, NotSupported for encryption and devices. */
export function parseDiskSpec(spec: VirtualDiskSpec, name: string): DiskShape {
  if (isA('DeviceBackedVirtualDiskSpec', spec)) throw new MethodFault('NotSupported');
  if (isA('FileBackedVirtualDiskSpec', spec) && spec.crypto) throw new MethodFault('NotSupported');
  const provisioning = Object.hasOwn(provisionings, spec.diskType) ? provisionings[spec.diskType] : undefined;
  if (!provisioning) throw new MethodFault('InvalidArgument', { invalidProperty: `${name}.diskType` });
  const key = spec.adapterType.toLowerCase();
  const adapter = Object.hasOwn(adapters, key) ? adapters[key] : undefined;
  if (!adapter) throw new MethodFault('InvalidArgument', { invalidProperty: `${name}.adapterType` });
  return { provisioning, adapter };
}

/** Sixteen bytes of hex in any spelling, in that of `ddb.uuid`; throws InvalidArgument. */
export function parseUuid(text: string): string {
  const hex = text.replace(/[\s-]/g, '').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(hex)) throw new MethodFault('InvalidArgument', { invalidProperty: 'uuid' });
  const bytes = hex.match(/../g) ?? [];
  return `${bytes.slice(0, 8).join(' ')}-${bytes.slice(8).join(' ')}`;
}
