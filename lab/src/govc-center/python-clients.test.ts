// Clients in Python that are not ours, against a simulated vCenter: pyvmomi of two generations, and OpenStack's library.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { installOsloVmware, osloVmwarePython } from '../clients/oslo-vmware.ts';
import { installPyvmomi, PYVMOMI_VERSIONS, pyvmomiPython } from '../clients/pyvmomi.ts';
import type { LabSim } from '../testing/lab-sim.ts';
import { run } from '../testing/run.ts';
import { SIM_PASSWORD, SIM_USER, useLabSim } from '../testing/use-lab-sim.ts';

async function works(sim: LabSim, python: string, script: string): Promise<void> {
  const args = [join(import.meta.dirname, script), String(sim.port), SIM_USER, SIM_PASSWORD];
  const { code, stdout, stderr } = await run(python, args);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^done$/m);
}

describe('a vCenter', () => {
  const sim = useLabSim();

  for (const version of PYVMOMI_VERSIONS) {
    void test(`pyvmomi ${version}: inventory, a VM's life, updates, permissions, custom fields, tags`, async (t) => {
      const { state, detail } = await installPyvmomi(version);
      if (state !== 'installed') return t.skip(`not run: ${detail}`);
      await works(sim(), pyvmomiPython(version), 'everyday_center.py');
    });
  }

  void test("oslo.vmware: what OpenStack's drivers do", async (t) => {
    const { state, detail } = await installOsloVmware();
    if (state !== 'installed') return t.skip(`not run: ${detail}`);
    await works(sim(), osloVmwarePython(), 'oslo_everyday.py');
  });
});

for (const version of PYVMOMI_VERSIONS) {
  describe(`a vCenter and scripts with pyvmomi ${version}`, () => {
    const sim = useLabSim();

    void test('roll-ups, cards and disks, events, figures, options, and what is not built', async (t) => {
      const { state, detail } = await installPyvmomi(version);
      if (state !== 'installed') return t.skip(`not run: ${detail}`);
      await works(sim(), pyvmomiPython(version), 'scripts_center.py');
    });
  });
}
