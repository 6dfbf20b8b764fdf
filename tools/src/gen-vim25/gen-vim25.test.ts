import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { differingParts, dumpFrom } from './compare-dump.ts';
import { generateVim25 } from './generate-vim25.ts';
import { withInternalMethods } from './internal-methods.ts';
import { basesFirst, parseSchemaDump, readLattice } from './schema-dump.ts';
import { parseSideService, withSideService } from './side-service.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SCHEMA = 'api/vim25/vim25-schema-9.0.json';
const GENERATED = 'packages/vim/src/generated';

function runGen(...args: string[]): { status: number | null; output: string } {
  const run = spawnSync(process.execPath, [join(ROOT, 'tools/src/gen.ts'), ...args], { encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
}

/** A copy of what the generator reads and writes, gone when the test ends. */
function copyTree(context: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'gen-check-'));
  context.after(() => rmSync(root, { recursive: true }));
  for (const directory of ['api/vim25', 'api/pbm', GENERATED])
    cpSync(join(ROOT, directory), join(root, directory), { recursive: true });
  return root;
}

void test('what is checked in is what the generator makes', () => {
  assert.deepEqual(runGen('--check'), { status: 0, output: '' });
});

void test('the check fails for a generated file that was edited, is missing, or is stale', (context) => {
  const root = copyTree(context);
  appendFileSync(join(root, GENERATED, 'enums.ts'), '// by hand\n');
  rmSync(join(root, GENERATED, 'core.ts'));
  writeFileSync(join(root, GENERATED, 'old.ts'), '');
  const { status, output } = runGen('--check', '--root', root);
  assert.equal(status, 1);
  assert.match(output, /enums\.ts differs/);
  assert.match(output, /core\.ts missing/);
  assert.match(output, /old\.ts stale/);
  assert.equal(runGen('--root', root).status, 0);
  assert.deepEqual(runGen('--check', '--root', root), { status: 0, output: '' });
});

void test('the check fails for a schema that was edited', (context) => {
  const root = copyTree(context);
  const text = readFileSync(join(root, SCHEMA), 'utf8');
  writeFileSync(join(root, SCHEMA), text.replace('"n":"powerState"', '"n":"powerStatus"'));
  const { status, output } = runGen('--check', '--root', root);
  assert.equal(status, 1);
  assert.match(output, /differs from the sha256/);
  assert.match(output, /data\.ts differs/);
});

void test('the generator refuses a schema it does not understand', () => {
  assert.throws(() => generateVim25('{}'), /not a vim25-schema\/1 dump/);
  const dump = { format: 'vim25-schema/1', versions: {}, data: {}, faults: {}, enums: {}, managed: {} };
  const type = { vmodl: 'x', base: null, v: '0', p: [] };
  const twice = { ...dump, data: { X: type }, faults: { X: type } };
  assert.throws(() => parseSchemaDump(JSON.stringify(twice)), /X is in data and in faults/);
  const method = { n: 'm', v: '0', p: [], r: { t: 'void' } };
  const managed = { A: { ...type, m: { M: method } }, B: { ...type, m: { M: method } } };
  assert.throws(() => parseSchemaDump(JSON.stringify({ ...dump, managed })), /two managed types have a method M/);
  const version = { ns: 'vim25', id: '', legacy: 1 as const };
  const forked = {
    'vim.version.a': { ...version, id: '1', parents: [] },
    'vim.version.b': { ...version, id: '2', parents: ['x'] },
  };
  assert.throws(() => readLattice({ ...parseSchemaDump(JSON.stringify(dump)), versions: forked }), /is not a chain/);
});

void test('internal methods are laid over the schema, and never over something that is there', () => {
  const type = { vmodl: 'x', base: null, v: '0', p: [] };
  const empty = { format: 'vim25-schema/1', versions: {}, faults: {}, enums: {} };
  const method = { n: 'm', v: '0', p: [], r: { t: 'void' } };
  const dump = parseSchemaDump(
    JSON.stringify({ ...empty, data: { D: type }, managed: { A: { ...type, m: { M: method } } } }),
  );
  const over = (value: object) =>
    withInternalMethods(dump, JSON.stringify({ format: 'vim25-internal/1', data: {}, methods: {}, ...value }));
  assert.deepEqual(Object.keys(over({ methods: { A: { N: method } } }).managed['A']?.m ?? {}), ['M', 'N']);
  assert.throws(() => over({ methods: { A: { M: method } } }), /has a method M already/);
  assert.throws(() => over({ methods: { B: { N: method } } }), /no managed type B/);
  assert.throws(() => over({ data: { D: type } }), /D is in the schema already/);
  assert.throws(() => over({ format: 'x' }), /not internal methods/);
});

void test('a side service is told by the prefix of its types, and is known to every client', () => {
  const type = { vmodl: 'x', base: null, v: 'pbm.version.version2', p: [{ n: 'a', t: 'string', v: 'pbm.version.v9' }] };
  const empty = { format: 'vim25-schema/1', versions: {}, faults: {}, managed: {} };
  const enums = { PbmE: { vmodl: 'x', v: 'pbm.version.version1', values: ['a', ['b', 'pbm.version.v9']] } };
  const text = JSON.stringify({ ...empty, data: { PbmD: type }, enums });
  const side = parseSideService(text, 'Pbm');
  assert.deepEqual(side.data['PbmD'], { ...type, v: '0', p: [{ n: 'a', t: 'string', v: '0' }] });
  assert.deepEqual(side.enums['PbmE']?.values, ['a', 'b']);
  assert.throws(() => parseSideService(text, 'Sms'), /PbmD does not begin with Sms/);
  const dump = parseSchemaDump(JSON.stringify({ ...empty, data: { D: type }, enums: {} }));
  assert.deepEqual(Object.keys(withSideService(dump, side).data), ['D', 'PbmD']);
  assert.throws(() => withSideService(side, side), /PbmD is in both schemas/);
});

void test('bases come before what is derived from them', () => {
  const type = { vmodl: 'x', v: '0', p: [] };
  assert.deepEqual(basesFirst({ C: { ...type, base: 'B' }, B: { ...type, base: 'A' }, A: { ...type, base: null } }), [
    'A',
    'B',
    'C',
  ]);
});

/** The directory that python3, or the python that VIVARIUM_PYTHON names, imports pyVmomi 9.0.0.0 from. */
function findPyvmomi(): string | undefined {
  const find = 'import importlib.metadata as m; d = m.distribution("pyvmomi"); print(d.version, d.locate_file(""))';
  const run = spawnSync(process.env['VIVARIUM_PYTHON'] ?? 'python3', ['-c', find], { encoding: 'utf8' });
  const [version, ...path] = (run.stdout ?? '').trim().split(' ');
  return run.status === 0 && version === '9.0.0.0' ? path.join(' ') : undefined;
}

void test('the pinned schema is what dump_schema.py makes of pyVmomi 9.0.0.0', (context) => {
  const directory = findPyvmomi();
  if (directory === undefined || !existsSync(join(directory, 'pyVmomi/_typeinfo_vim.py'))) {
    context.skip('not run: no python3 with pyvmomi 9.0.0.0 (set VIVARIUM_PYTHON to one)');
    return;
  }
  assert.deepEqual(runGen('--from-pyvmomi', directory), { status: 0, output: '' });
  const fresh = dumpFrom(join(ROOT, 'api/vim25/dump_schema.py'), directory);
  assert.deepEqual(differingParts(fresh, { ...fresh, enums: {} }), ['enums']);
});
