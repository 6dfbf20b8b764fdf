// Every gate of `npm run check`, in the order in which they are cheapest to fail.
import { globSync } from 'node:fs';
import { type Gate, programGate } from './gate.ts';
import { layersGate } from './layers.ts';

const bin = (root: string, name: string) => `${root}/node_modules/.bin/${name}`;
const node = process.execPath;

export const typesGate = programGate('types', (root) => [node, bin(root, 'tsc'), '--noEmit', '-p', root]);
export const lintGate = programGate('lint', (root) => [node, bin(root, 'oxlint'), '--type-aware', '--quiet']);
export const formatGate = programGate('format', (root) => [node, bin(root, 'biome'), 'ci', '--colors=off', root]);
export const unusedGate = programGate('unused code', (root) => [node, bin(root, 'knip'), '--no-progress']);
export const generatedGate = programGate('generated code', (root) => [
  node,
  `${root}/tools/src/gen.ts`,
  '--check',
  '--root',
  root,
]);
export const unitTestsGate = programGate('unit tests', (root) => [
  node,
  '--disable-warning=ExperimentalWarning',
  '--test',
  '--test-reporter=spec',
  ...unitTests(root),
]);

/** Test files beside the code. What needs a lab is in lab/. */
function unitTests(root: string): string[] {
  const files = globSync(['packages/*/src/**/*.test.ts', 'guests/src/**/*.test.ts', 'tools/src/**/*.test.ts'], {
    cwd: root,
  });
  if (files.length === 0) throw new Error(`no tests below ${root}`);
  return files.sort();
}

export const gates: readonly Gate[] = [
  typesGate,
  lintGate,
  formatGate,
  layersGate,
  generatedGate,
  unusedGate,
  unitTestsGate,
];
