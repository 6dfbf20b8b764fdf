// pyvmomi's stubs of the storage policy service against a simulated vCenter.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { installPyvmomi, PYVMOMI_VERSIONS, pyvmomiPython } from '../clients/pyvmomi.ts';
import { runOk } from '../testing/run.ts';
import { SIM_PASSWORD, SIM_USER, useLabSim } from '../testing/use-lab-sim.ts';

const SCRIPT = join(import.meta.dirname, 'storage_policy.py');

describe('storage policies by pyvmomi', () => {
  const sim = useLabSim();

  for (const version of PYVMOMI_VERSIONS) {
    void test(`pyvmomi ${version}`, async (context) => {
      const client = await installPyvmomi(version);
      if (client.state !== 'installed') {
        context.skip(`not run: ${client.detail}`);
        return;
      }
      const said = await runOk(pyvmomiPython(version), [SCRIPT, String(sim().port), SIM_USER, SIM_PASSWORD]);
      assert.equal(said.trim(), 'done');
    });
  }
});
