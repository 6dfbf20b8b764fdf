// One object of a saved inventory: what a file says of it, as far as it is looked at. The file is a stranger's: every value has
// the type that the schema gives to its property, and any part of it may be missing.
import {
  isBoxed,
  type ManagedObjectReference,
  type ManagedTypes,
  type Properties,
  schema,
  type Told,
  type TypeRef,
  unbox,
} from '@vivarium/vim';
import { FlagError } from '../flags.ts';

export interface SavedObject {
  /** The file's name, for what has to be said of it. */
  readonly file: string;
  readonly ref: ManagedObjectReference;
  readonly properties: ReadonlyMap<string, unknown>;
}

/** Properties of the types that are looked at: everything else in the files is left there. */
export const WANTED = {
  Folder: ['childEntity'],
  Datacenter: ['vmFolder', 'hostFolder', 'datastoreFolder', 'networkFolder'],
  ComputeResource: ['resourcePool'],
  ClusterComputeResource: ['resourcePool', 'configurationEx'],
  ResourcePool: ['config', 'owner'],
  VirtualApp: ['config', 'owner', 'vAppConfig', 'parentFolder'],
  HostSystem: ['hardware', 'runtime', 'summary', 'config', 'network', 'datastore'],
  StoragePod: [],
  Datastore: ['info', 'summary', 'host'],
  Network: ['host'],
  DistributedVirtualSwitch: ['uuid', 'config', 'summary'],
  VmwareDistributedVirtualSwitch: ['uuid', 'config', 'summary'],
  DistributedVirtualPortgroup: ['key', 'config', 'host'],
  VirtualMachine: ['config', 'runtime', 'guest', 'resourcePool', 'parentVApp'],
  CustomFieldsManager: ['field'],
  AuthorizationManager: ['roleList'],
} as const satisfies { readonly [T in keyof ManagedTypes]?: readonly (keyof Properties<T>)[] };

export type SavedType = keyof typeof WANTED;

/** Of every entity. */
export const OF_ENTITIES = ['name', 'parent', 'customValue', 'permission'] as const;

export function isSavedType(type: string): type is SavedType {
  return Object.hasOwn(WANTED, type);
}

/** A property; undefined when the file does not have it. */
export function told<T extends keyof ManagedTypes, P extends keyof Properties<T> & string>(
  object: SavedObject,
  _type: T,
  property: P,
): Told<NonNullable<Properties<T>[P]>> | undefined {
  return object.properties.get(property) as Told<NonNullable<Properties<T>[P]>> | undefined;
}

/** What is not as it has to be, in one sentence. */
export function wrong({ file }: Pick<SavedObject, 'file'>, what: string): FlagError {
  return new FlagError(`-load: ${file}: ${what}`);
}

/** The value of a property as the schema declares it. Throws FlagError when it is of another type. */
export function readProperty(file: string, type: SavedType, name: string, value: unknown): unknown {
  const declared = schema.managed(type)?.fieldsByName.get(name);
  if (!declared || !fits(declared, value)) throw wrong({ file }, `${name} is no ${declared?.type ?? 'property'}`);
  return unbox(value);
}

function fits(declared: TypeRef, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('_typeName' in value)) return false;
  const name = String(value._typeName);
  if (declared.array)
    return isBoxed(value) && Array.isArray(value._value) && fitsItem(declared, name.replace(/^ArrayOf/, ''));
  return declared.kind === 'data' || declared.kind === 'managed'
    ? !isBoxed(value) && fitsItem(declared, name)
    : isBoxed(value) && fitsItem(declared, name);
}

function fitsItem({ kind, type }: TypeRef, name: string): boolean {
  if (kind === 'managed') return name === 'ManagedObjectReference';
  if (kind === 'data') return schema.isSubtype(name, type);
  return name.toLowerCase() === type.toLowerCase();
}
