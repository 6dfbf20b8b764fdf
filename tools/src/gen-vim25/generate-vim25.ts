// api/vim25 -> packages/vim/src/generated. Pure: text in, files out.

import { emitTable } from './emit-table.ts';
import { emitTypes } from './emit-types.ts';
import { parseSchemaDump, readLattice } from './schema-dump.ts';

/** File name -> text, from the text of a schema dump. */
export function generateVim25(dumpText: string): Map<string, string> {
  const dump = parseSchemaDump(dumpText);
  const lattice = readLattice(dump);
  return new Map([...emitTypes(dump, lattice), ['schema.json', emitTable(dump, lattice)]]);
}
