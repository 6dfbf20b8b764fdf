// Ansible's modules for vSphere against a simulated vCenter.
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { installAnsible, play } from '../clients/ansible.ts';
import { SIM_PASSWORD, SIM_USER, useLabSim } from '../testing/use-lab-sim.ts';

const client = await installAnsible();

describe(client.name, { skip: client.state === 'installed' ? false : `not run: ${client.detail}` }, () => {
  const sim = useLabSim();
  const playbook = (file: string, facts: Readonly<Record<string, unknown>> = {}) => {
    const account = { port: sim().port, user: SIM_USER, secret: SIM_PASSWORD };
    return play(join(import.meta.dirname, file), { ...account, ...facts }, sim().stateDir);
  };

  void test('a playbook makes a cluster, a folder and a tagged VM, changes nothing the second time, and takes them away', () =>
    playbook('ansible.yml'));

  void test('a playbook gives standard and distributed switches physical NICs, and takes them away', () =>
    playbook('ansible-networks.yml', {
      place: 'DC0',
      alone: 'DC0_H0',
      alone_nics: ['vmnic1'],
      joining: 'DC0_C0_H0',
      joining_nics: ['vmnic0', 'vmnic1'],
    }));
});
