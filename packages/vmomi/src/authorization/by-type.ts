// Tables by managed type: the entry of the type or of its nearest base. Pure.
import { schema } from '@vivarium/vim';

/** What nobody has thought of is closed to all but administrators. */
export const OTHERWISE = 'Global.Settings';

export function byType(table: Readonly<Record<string, string>>, type: string): string;
export function byType<T>(table: Readonly<Record<string, T>>, type: string, otherwise: T): T;
export function byType(table: Readonly<Record<string, unknown>>, type: string, otherwise?: unknown): unknown {
  for (let name: string | undefined = type; name !== undefined; name = schema.managed(name)?.base) {
    const entry = table[name];
    if (entry !== undefined) return entry;
  }
  return table['default'] ?? otherwise ?? OTHERWISE;
}
