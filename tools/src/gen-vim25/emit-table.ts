// The runtime schema: one short line of text per type and method, expanded on first use by packages/vim/src/schema.ts.
// A table of strings costs about 0.6 MB of heap, the same schema as parsed objects about ten times as much.
//
//   d NAME BASE RANK FIELD…            data object      (BASE "-" = none, RANK = index into `versions`)
//   f NAME BASE RANK FIELD…            fault
//   e NAME RANK VALUE[:RANK]…          enum
//   m NAME BASE RANK FIELD…            managed type, its properties
//   o NAME OWNER RANK RESULT TASKRESULT PRIVILEGE FAULT,FAULT FIELD…     method ("-" = none)
//   FIELD = name:type[*][?]:rank[:privilege]    "*" array, "?" optional, "!" secret
//   RESULT, TASKRESULT = type[*][?]

import type { Field, Lattice, SchemaDump, TypeRef } from './schema-dump.ts';

function refText(ref: TypeRef): string {
  return `${ref.t}${ref.a === 1 ? '*' : ''}${ref.o === 1 ? '?' : ''}`;
}

function fieldText(field: Field, lattice: Lattice): string {
  const privilege = field.priv === undefined ? '' : `:${field.priv}`;
  return `${field.n}:${refText(field)}${field.secret === 1 ? '!' : ''}:${lattice.rank(field.v)}${privilege}`;
}

function tableLines(dump: SchemaDump, lattice: Lattice): string[] {
  const lines: string[] = [];
  for (const [tag, types] of [
    ['d', dump.data],
    ['f', dump.faults],
    ['m', dump.managed],
  ] as const) {
    for (const [name, type] of Object.entries(types)) {
      const fields = type.p.map((field) => fieldText(field, lattice));
      lines.push([tag, name, type.base ?? '-', lattice.rank(type.v), ...fields].join(' '));
    }
  }
  for (const [name, type] of Object.entries(dump.enums)) {
    const values = type.values.map((value) =>
      typeof value === 'string' ? value : `${value[0]}:${lattice.rank(value[1])}`,
    );
    lines.push(['e', name, lattice.rank(type.v), ...values].join(' '));
  }
  for (const [owner, type] of Object.entries(dump.managed)) {
    for (const [name, method] of Object.entries(type.m)) {
      const taskResult = method.taskResult === undefined ? '-' : refText(method.taskResult);
      const fields = method.p.map((field) => fieldText(field, lattice));
      const faults = method.f?.join(',') ?? '-';
      lines.push(
        [
          'o',
          name,
          owner,
          lattice.rank(method.v),
          refText(method.r),
          taskResult,
          method.priv ?? '-',
          faults,
          ...fields,
        ].join(' '),
      );
    }
  }
  return lines;
}

/** schema.json: `versions` oldest first, the `legacy` one, the table, and a table for each service beside /sdk. */
export function emitTable(
  dump: SchemaDump,
  lattice: Lattice,
  sides: Readonly<Record<string, SchemaDump>> = {},
): string {
  const table = (of: SchemaDump) =>
    tableLines(of, lattice)
      .map((line) => `    ${JSON.stringify(line)}`)
      .join(',\n');
  const side = Object.entries(sides).map(([name, of]) => `  ${JSON.stringify(name)}: [\n${table(of)}\n  ]`);
  return `{
  "generated": "by tools/src/gen.ts from api/vim25 and api/pbm, do not edit",
  "versions": ${JSON.stringify(lattice.ids)},
  "legacy": ${JSON.stringify(lattice.legacy)},
  "table": [
${table(dump)}
  ]${side.map((text) => `,\n${text}`).join('')}
}
`;
}
