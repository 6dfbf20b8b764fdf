// Answers as JSON, by their shapes. Trusts the types of what it is given: our own code made it. Pure.

import type { Form } from './read-value.ts';
import type { ShapeData } from './shape.ts';

/** What JSON.stringify takes. Unset optional fields are left out; fields that the shape does not have never get out. */
export function writeValue(shape: ShapeData, value: unknown, form: Form): unknown {
  switch (shape.kind) {
    case 'optional':
      return value === undefined ? undefined : writeValue(shape.item, value, form);
    case 'list':
    case 'set':
      return (value as readonly unknown[]).map((item) => writeValue(shape.item, item, form));
    case 'map': {
      const entries = Object.entries(value as object).map(
        ([key, item]) => [key, writeValue(shape.item, item, form)] as const,
      );
      return form === 'api' ? Object.fromEntries(entries) : entries.map(([key, item]) => ({ key, value: item }));
    }
    case 'struct': {
      const written: Record<string, unknown> = {};
      const object = value as Readonly<Record<string, unknown>>;
      for (const [name, field] of Object.entries(shape.fields)) {
        const item = writeValue(field, object[name], form);
        if (item !== undefined) written[name] = item;
      }
      return written;
    }
    default:
      return value;
  }
}
