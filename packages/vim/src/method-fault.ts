// The one way to refuse: a thrown MethodFault that carries its fault data object.

import { faultMessage } from './fault-messages.ts';
import type { LocalizedMethodFault } from './generated/core.ts';
import type { FaultTypes } from './generated/maps.ts';
import type { Input } from './model.ts';
import { schema } from './schema.ts';

type FaultName = keyof FaultTypes;

type Rest<T extends FaultName> =
  Record<never, never> extends Input<FaultTypes[T]>
    ? [data?: Input<FaultTypes[T]>, message?: string, options?: ErrorOptions]
    : [data: Input<FaultTypes[T]>, message?: string, options?: ErrorOptions];

/** An expected refusal. `fault` is the data object that crosses the wire, `message` the text people read. */
export class MethodFault<T extends FaultName = FaultName> extends Error {
  readonly fault: FaultTypes[T] & { _typeName: string };

  constructor(type: T, ...rest: Rest<T>) {
    const [data = {}, message, options] = rest as [data?: object, message?: string, options?: ErrorOptions];
    const fault: Record<string, unknown> & { _typeName: string } = { _typeName: type };
    for (const [name, value] of Object.entries(data)) {
      if (value !== undefined && name !== '_typeName') fault[name] = value;
    }
    super(message ?? faultMessage(fault), options);
    this.name = type;
    this.fault = fault as unknown as FaultTypes[T] & { _typeName: string };
  }

  /** From a fault data object that came over the wire or out of a TaskInfo. */
  static from(fault: { _typeName?: string }, message?: string): MethodFault {
    const { _typeName: type = 'MethodFault', ...data } = fault;
    if (schema.isSubtype(type, 'MethodFault'))
      return new MethodFault(type as 'MethodFault', data, message) as MethodFault;
    return new MethodFault('SystemError', { reason: `unknown fault ${type}` }, message) as MethodFault;
  }
}

/** Whether an error is a MethodFault of this type or one derived from it. */
export function isFault<T extends FaultName>(error: unknown, type: T): error is MethodFault<T> {
  return error instanceof MethodFault && schema.isSubtype(error.fault._typeName, type);
}

/** The wire form of an error inside data (TaskInfo.error, MissingProperty.fault …). Anything but a MethodFault becomes SystemError. */
export function toLocalizedMethodFault(error: unknown): LocalizedMethodFault {
  const fault = error instanceof MethodFault ? error : new MethodFault('SystemError', { reason: '' });
  return { _typeName: 'LocalizedMethodFault', fault: fault.fault, localizedMessage: fault.message };
}
