// Runs every generator. `gen.ts` writes; `gen.ts --check` writes nothing, names each file that differs and exits 1.
// `--root DIR` works on another tree (the tests of the check use it). `--from-pyvmomi DIR` compares the pinned schemas with
// what their script makes of the pyVmomi package in DIR.

import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { differingParts, dumpFrom, pinnedHash, sha256 } from './gen-vim25/compare-dump.ts';
import { PBM_SCHEMA, VIM25_SCHEMA, vim25Generator } from './gen-vim25/vim25-generator.ts';
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

/** What dump_schema.py is called with to make each pinned schema. */
const pinned: readonly (readonly [path: string, modules: readonly string[]])[] = [
  [VIM25_SCHEMA, []],
  [PBM_SCHEMA, ['-only', 'pbm', 'core', 'query', 'vim', 'pbm']],
];

/** Lines that say what is wrong; none when all is well. */
function checkPinnedSchemas(): string[] {
  return pinned.flatMap(([path]) => {
    const data = readFileSync(join(root, path));
    const source = join(root, dirname(path), 'SOURCE');
    const hash = pinnedHash(readFileSync(source, 'utf8'), basename(path));
    return hash === sha256(data) ? [] : [`${path} differs from the sha256 in ${dirname(path)}/SOURCE`];
  });
}

function compareWithPyvmomi(directory: string): string[] {
  return pinned.flatMap(([path, modules]) => {
    const current = JSON.parse(readFileSync(join(root, path), 'utf8')) as object;
    const fresh = dumpFrom(join(root, 'api/vim25/dump_schema.py'), resolve(directory), modules);
    return differingParts(current, fresh).map((part) => `${path}: "${part}" differs from the pyVmomi in ${directory}`);
  });
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
    ? [...checkPinnedSchemas(), ...generators.flatMap(runGenerator)]
    : compareWithPyvmomi(values['from-pyvmomi']);
for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error('generated files or pinned inputs are not what their sources make: run `npm run gen`, never edit them');
  process.exitCode = 1;
}
