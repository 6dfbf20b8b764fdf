import { MethodFault } from '@vivarium/vim';

/** A value of the spec that cannot be: `name` is its path below the spec, as ESXi says it (`configSpec.numCPUs`). */
export function invalidArgument(name: string, message?: string): MethodFault {
  return new MethodFault('InvalidArgument', { invalidProperty: `configSpec.${name}` }, message);
}

/** Throws unless the value is a whole number between the bounds. */
export function checkRange(value: number, min: number, max: number, name: string): number {
  if (!Number.isInteger(value) || value < min || value > max) throw invalidArgument(name);
  return value;
}
