// Ansible's modules for vSphere against a simulated vCenter.
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ansible, installAnsible } from '../clients/ansible.ts';
import { runOk } from '../testing/run.ts';
import { SIM_PASSWORD, SIM_USER, useLabSim } from '../testing/use-lab-sim.ts';

const client = await installAnsible();

describe(client.name, { skip: client.state === 'installed' ? false : `not run: ${client.detail}` }, () => {
  const sim = useLabSim();

  const play = async (file: string) => {
    const { playbook, env } = ansible();
    const facts = JSON.stringify({ port: sim().port, user: SIM_USER, secret: SIM_PASSWORD });
    const args = ['-i', 'localhost,', '-e', facts, join(import.meta.dirname, file)];
    await runOk(playbook, args, { env: { ...env, ANSIBLE_HOME: sim().stateDir }, timeoutMs: 300_000 });
  };

  void test('a playbook makes a cluster, a folder and a tagged VM, changes nothing the second time, and takes them away', () =>
    play('ansible.yml'));

  void test('a playbook gives standard and distributed switches physical NICs, and takes them away', () =>
    play('ansible-networks.yml'));
});
