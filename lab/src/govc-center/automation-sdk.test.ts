// VMware's Automation SDK, which speaks JSON-RPC, against a simulated vCenter.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { automationSdkPython, installAutomationSdk } from '../clients/automation-sdk.ts';
import { runOk } from '../testing/run.ts';
import { SIM_PASSWORD, SIM_USER, useLabSim } from '../testing/use-lab-sim.ts';

const SCRIPT = join(import.meta.dirname, 'automation_sdk.py');
const client = await installAutomationSdk();

describe(client.name, { skip: client.state === 'installed' ? false : `not run: ${client.detail}` }, () => {
  const sim = useLabSim();

  void test('sessions, tags, inventory and power', async () => {
    const args = [SCRIPT, String(sim().port), SIM_USER, SIM_PASSWORD];
    assert.equal((await runOk(automationSdkPython(), args)).trim(), 'done');
  });
});
