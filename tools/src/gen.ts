// Runs every generator. `gen.ts` writes; `gen.ts --check` writes nothing, names each file that differs and exits 1.
// `--root DIR` works on another tree (the tests of the check use it).

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { vim25Generator } from './gen-vim25/vim25-generator.ts';
import { differences, type Generator, writeGenerated } from './generated-files.ts';

const generators: readonly Generator[] = [vim25Generator];

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false }, root: { type: 'string' } } });
const root = resolve(values.root ?? `${import.meta.dirname}/../..`);

let failed = false;
for (const generator of generators) {
  const changes = values.check ? differences(root, generator) : writeGenerated(root, generator);
  for (const { path, what } of changes)
    console.log(`${generator.name}: ${path} ${values.check ? what : `written (was ${what})`}`);
  failed ||= values.check && changes.length > 0;
}
if (failed) {
  console.error('generated files differ from their sources: run `npm run gen`');
  process.exitCode = 1;
}
