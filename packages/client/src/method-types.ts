// The types of the API's methods as a caller sees them.
import type { ManagedTypes, Methods, MethodTypes } from '@vivarium/vim';

export type MethodName<T extends keyof ManagedTypes> = keyof Methods<T, never> & string;

export type ArgsOf<T extends keyof ManagedTypes, M extends MethodName<T>> = Methods<T, never>[M] extends (
  args: infer Args,
  call: never,
) => unknown
  ? Args
  : never;

export type ResultOf<T extends keyof ManagedTypes, M extends MethodName<T>> = Methods<T, never>[M] extends (
  ...args: never[]
) => infer Result
  ? Awaited<Result>
  : never;

/** The names of a managed type's methods that answer a task. */
export type TaskMethodName<T extends keyof ManagedTypes> = {
  [M in MethodName<T>]: M extends keyof MethodTypes
    ? MethodTypes[M] extends { taskResult: unknown }
      ? M
      : never
    : never;
}[MethodName<T>];

/** What the task of such a method has as its result, unboxed. */
export type TaskResultOf<M extends string> = M extends keyof MethodTypes
  ? MethodTypes[M] extends { taskResult: infer Result }
    ? Result
    : never
  : never;
