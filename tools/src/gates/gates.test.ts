// Every gate is shown a tree with one thing wrong and must not let it pass, and the same tree mended and must.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Gate } from './gate.ts';
import { formatGate, gates, generatedGate, lintGate, typesGate, unitTestsGate, unusedGate } from './index.ts';
import { layersGate } from './layers.ts';

const repository = resolve(import.meta.dirname, '../../..');

type Files = Readonly<Record<string, string>>;

const manifest = (name: string, dependencies: Readonly<Record<string, string>> = {}) =>
  JSON.stringify({
    name: `@vivarium/${name}`,
    private: true,
    type: 'module',
    exports: { '.': './src/index.ts' },
    dependencies,
  });

/** A small workspace with this repository's own configuration and tools. */
function makeTree(t: TestContext, files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'viv-gates-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const name of ['tsconfig.json', 'biome.json', '.oxlintrc.json', 'knip.json']) {
    copyFileSync(join(repository, name), join(root, name));
  }
  const base = {
    'package.json': JSON.stringify({ name: 'fixture', private: true, type: 'module', workspaces: ['packages/*'] }),
    'packages/vim/package.json': manifest('vim'),
  };
  for (const [path, content] of Object.entries({ ...base, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  return root;
}

const cases: readonly { readonly gate: Gate; readonly wrong: Files; readonly right: Files; readonly says: RegExp }[] = [
  {
    gate: typesGate,
    wrong: { 'packages/vim/src/index.ts': "export const count: number = 'three';\n" },
    right: { 'packages/vim/src/index.ts': 'export const count: number = 3;\n' },
    says: /TS2322/,
  },
  {
    gate: lintGate,
    wrong: { 'packages/vim/src/index.ts': 'export function go(): void {\n  Promise.resolve(1);\n}\n' },
    right: {
      'packages/vim/src/index.ts': 'export async function go(): Promise<void> {\n  await Promise.resolve(1);\n}\n',
    },
    says: /no-floating-promises/,
  },
  {
    gate: formatGate,
    wrong: { 'packages/vim/src/index.ts': 'export const  words = "two"\n' },
    right: { 'packages/vim/src/index.ts': "export const words = 'two';\n" },
    says: /format/i,
  },
  {
    gate: layersGate,
    wrong: { 'packages/vim/src/index.ts': "export { Store } from '@vivarium/store';\n" },
    right: { 'packages/vim/src/index.ts': "export { dateTime } from '@vivarium/base';\n" },
    says: /vim may not import store/,
  },
  {
    gate: layersGate,
    wrong: { 'packages/vim/src/index.ts': "import { readFile } from 'node:fs';\nexport { readFile };\n" },
    right: {
      'packages/vim/src/index.ts': "import { isDeepStrictEqual } from 'node:util';\nexport { isDeepStrictEqual };\n",
    },
    says: /packages\/vim\/src is pure/,
  },
  {
    gate: layersGate,
    wrong: { 'packages/host/src/x.ts': "import '../../qemu/src/launch/jail.ts';\n" },
    right: { 'packages/host/src/x.ts': "import '@vivarium/qemu';\n" },
    says: /past its public face/,
  },
  {
    gate: unusedGate,
    wrong: {
      'packages/vim/src/index.ts': 'export const a = 1;\n',
      'packages/vim/src/forgotten.ts': 'export const b = 2;\n',
    },
    right: { 'packages/vim/src/index.ts': 'export const a = 1;\n' },
    says: /forgotten\.ts/,
  },
  {
    gate: unitTestsGate,
    wrong: {
      'packages/vim/src/x.test.ts':
        "import { test } from 'node:test';\ntest('x', () => {\n  throw new Error('no');\n});\n",
    },
    right: { 'packages/vim/src/x.test.ts': "import { test } from 'node:test';\ntest('x', () => undefined);\n" },
    says: /fail 1/,
  },
];

for (const { gate, wrong, right, says } of cases) {
  test(`the gate '${gate.name}' stops ${says}`, async (t) => {
    const stopped = await gate.run(makeTree(t, wrong));
    assert.equal(stopped.passed, false, stopped.output);
    assert.match(stopped.output, says);
    const passed = await gate.run(makeTree(t, right));
    assert.equal(passed.passed, true, passed.output);
  });
}

test("the gate 'generated code' stops a file that was edited by hand", async (t) => {
  assert.equal((await generatedGate.run(repository)).passed, true);
  const root = makeTree(t, { 'packages/vim/src/index.ts': 'export const a = 1;\n' });
  for (const folder of ['api', 'tools']) symlinkSync(join(repository, folder), join(root, folder));
  mkdirSync(join(root, 'packages/vim/src/generated'), { recursive: true });
  writeFileSync(join(root, 'packages/vim/src/generated/data.ts'), '// edited\n');
  const stopped = await generatedGate.run(root);
  assert.equal(stopped.passed, false);
  assert.match(stopped.output, /data\.ts/);
});

test('every gate has a case here', () => {
  const shown = new Set([...cases.map(({ gate }) => gate.name), generatedGate.name]);
  assert.deepEqual(
    gates.map(({ name }) => name).filter((name) => !shown.has(name)),
    [],
  );
});

test('a tree without files is not judged clean', () => {
  assert.throws(() => layersGate.run(join(tmpdir(), 'no-such-tree')), /no source files/);
});
