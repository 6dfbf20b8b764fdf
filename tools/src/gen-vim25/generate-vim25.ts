// api/vim25 and api/pbm -> packages/vim/src/generated. Pure: text in, files out.

import { emitTable } from './emit-table.ts';
import { emitTypes } from './emit-types.ts';
import { withInternalMethods } from './internal-methods.ts';
import { parseSchemaDump, readLattice } from './schema-dump.ts';
import { parseSideService, withSideService } from './side-service.ts';

export interface MoreSchemas {
  /** Internal methods beside the documented ones. */
  readonly internal?: string;
  /** The dump of the storage policy service. */
  readonly pbm?: string;
}

/** File name -> text, from the text of a schema dump and of what lies beside it. */
export function generateVim25(dumpText: string, more: MoreSchemas = {}): Map<string, string> {
  const documented = parseSchemaDump(dumpText);
  const dump = more.internal === undefined ? documented : withInternalMethods(documented, more.internal);
  const lattice = readLattice(dump);
  const pbm = more.pbm === undefined ? undefined : parseSideService(more.pbm, 'Pbm');
  const declared = pbm ? withSideService(dump, pbm) : dump;
  return new Map([...emitTypes(declared, lattice), ['schema.json', emitTable(dump, lattice, pbm ? { pbm } : {})]]);
}
