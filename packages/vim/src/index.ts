// The public face of @vivarium/vim.

export { faultMessage } from './fault-messages.ts';
export type * from './generated/core.ts';
export type * from './generated/data.ts';
export type * from './generated/enums.ts';
export type * from './generated/faults.ts';
export type * from './generated/managed.ts';
export type * from './generated/maps.ts';
export type * from './generated/references.ts';
export { isFault, MethodFault, toLocalizedMethodFault } from './method-fault.ts';
export {
  type Handlers,
  type Input,
  isA,
  isRef,
  type ManagedTypeName,
  type Methods,
  make,
  moRef,
  moRefKey,
  type Properties,
  sameRef,
} from './model.ts';
export {
  type DataTypeInfo,
  type EnumInfo,
  type FieldInfo,
  type ManagedTypeInfo,
  type MethodInfo,
  schema,
  type TypeInfo,
  type TypeKind,
  type TypeRef,
} from './schema.ts';
