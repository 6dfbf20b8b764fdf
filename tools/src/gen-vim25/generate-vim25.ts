// api/vim25 -> packages/vim/src/generated. Pure: text in, files out.

import { emitTable } from './emit-table.ts';
import { emitTypes } from './emit-types.ts';
import { withInternalMethods } from './internal-methods.ts';
import { parseSchemaDump, readLattice } from './schema-dump.ts';

/** File name -> text, from the text of a schema dump and of the internal methods beside it. */
export function generateVim25(dumpText: string, internalText?: string): Map<string, string> {
  const documented = parseSchemaDump(dumpText);
  const dump = internalText === undefined ? documented : withInternalMethods(documented, internalText);
  const lattice = readLattice(dump);
  return new Map([...emitTypes(dump, lattice), ['schema.json', emitTable(dump, lattice)]]);
}
