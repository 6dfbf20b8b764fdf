// Other people's code reads what we write. Not run where python3 has no pyVmomi 9 or suds; VIVARIUM_PYTHON names another python.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decodeSoapRequest, encodeSoapResponse, make, moRef, schema, wsdl } from './index.ts';
import { DATA_OBJECTS, drawFrom, drawValue } from './testing/random-value.ts';
import { typeRef } from './type-ref.ts';

const CLIENTS = join(import.meta.dirname, '../fixtures/clients');

function scratch(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'vim-interop-'));
  context.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** What a client script prints; undefined, and the test skipped, when the client is not installed. */
function runClient(context: TestContext, script: string, directory: string): string | undefined {
  const python = process.env['VIVARIUM_PYTHON'] ?? 'python3';
  const run = spawnSync(python, [join(CLIENTS, script), directory], { encoding: 'utf8', maxBuffer: 64 << 20 });
  if (run.error !== undefined || run.status === 77) {
    context.skip(`not run: ${python} has not what ${script} needs`);
    return undefined;
  }
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

void test('pyVmomi reads a random value of every data object and fault', (context) => {
  const directory = scratch(context);
  const seed = Math.floor(Math.random() * 2 ** 31);
  for (const [index, type] of [...DATA_OBJECTS, ...schema.names('fault')].entries()) {
    const draw = drawFrom(seed + index);
    const propSet = [type, 'any'].map((declared, number) =>
      make('DynamicProperty', { name: `p${number}`, val: drawValue(draw, typeRef(declared), 2) }),
    );
    const content = [make('ObjectContent', { obj: moRef('VirtualMachine', 'vm-1'), propSet })];
    const xml = encodeSoapResponse('RetrieveProperties', 'ObjectContent[]', content, '9.0.0.0');
    writeFileSync(join(directory, `${type}.xml`), xml);
  }
  const output = runClient(context, 'pyvmomi_reads.py', directory);
  if (output !== undefined) assert.equal(output, '', `seed ${seed}`);
});

void test('suds loads the WSDL and its request is one that we read', (context) => {
  const directory = scratch(context);
  for (const [name, text] of wsdl()) writeFileSync(join(directory, name), text);
  const output = runClient(context, 'suds_loads.py', directory);
  if (output === undefined) return;
  const end = output.indexOf('\n');
  assert.equal(Number(output.slice(0, end)), schema.names('method').length);
  const { method, args } = decodeSoapRequest(output.slice(end + 1).trim());
  assert.deepEqual({ method, args }, { method: 'Rename_Task', args: { newName: 'new name' } });
});
