// Runs every generator. `gen.ts` writes; `gen.ts --check` writes nothing, names each file that differs and exits 1.
// `--root DIR` works on another tree (the tests of the check use it). `--from-pyvmomi DIR` compares api/vim25 with what
// its script makes of the pyVmomi package in DIR.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { differingParts, dumpFrom, pinnedHash, sha256 } from './gen-vim25/compare-dump.ts';
import { VIM25_SCHEMA, vim25Generator } from './gen-vim25/vim25-generator.ts';
import { differences, type Generator, writeGenerated } from './generated-files.ts';

const generators: readonly Generator[] = [vim25Generator];

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    root: { type: 'string' },
    'from-pyvmomi': { type: 'string' },
  },
});
const root = resolve(values.root ?? `${import.meta.dirname}/../..`);

/** Lines that say what is wrong; none when all is well. */
function checkPinnedSchema(): string[] {
  const data = readFileSync(join(root, VIM25_SCHEMA));
  const name = VIM25_SCHEMA.slice(VIM25_SCHEMA.lastIndexOf('/') + 1);
  const pinned = pinnedHash(readFileSync(join(root, 'api/vim25/SOURCE'), 'utf8'), name);
  return pinned === sha256(data) ? [] : [`${VIM25_SCHEMA} differs from the sha256 in api/vim25/SOURCE`];
}

function compareWithPyvmomi(directory: string): string[] {
  const current = JSON.parse(readFileSync(join(root, VIM25_SCHEMA), 'utf8')) as object;
  const parts = differingParts(current, dumpFrom(join(root, 'api/vim25/dump_schema.py'), resolve(directory)));
  return parts.map((part) => `${VIM25_SCHEMA}: "${part}" differs from the pyVmomi in ${directory}`);
}

function runGenerator(generator: Generator): string[] {
  if (values.check) return differences(root, generator).map(({ path, what }) => `${generator.name}: ${path} ${what}`);
  for (const { path, what } of writeGenerated(root, generator)) {
    console.log(`${generator.name}: ${path} written (was ${what})`);
  }
  return [];
}

const problems =
  values['from-pyvmomi'] === undefined
    ? [...checkPinnedSchema(), ...generators.flatMap(runGenerator)]
    : compareWithPyvmomi(values['from-pyvmomi']);
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error('generated files or pinned inputs are not what their sources make: run `npm run gen`, never edit them');
  process.exitCode = 1;
}
