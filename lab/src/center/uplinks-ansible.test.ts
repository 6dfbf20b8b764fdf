// Ansible's modules give switches of real hosts the machine's own network adapters, and take them away again.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { installAnsible, play } from '../clients/ansible.ts';
import { startLabCenter } from '../testing/lab-center.ts';
import { makePhysicalNetwork } from '../testing/physical-network.ts';
import { run } from '../testing/run.ts';
import { needsRoot } from '../testing/use-lab-host.ts';
import { useStarted } from '../testing/use-started.ts';

const PLAYBOOK = resolve(import.meta.dirname, '../govc-center/ansible-networks.yml');
const client = await installAnsible();
const without = client.state === 'installed' ? false : `not run: ${client.detail}`;

describe(`${client.name} and hosts with physical uplinks`, { skip: needsRoot || without }, () => {
  const world = useStarted(startWorld, 'vCenter', 'vpxd');

  test('a playbook gives a standard and a distributed switch a physical NIC each, and takes them away', async () => {
    const { lab, network } = world();
    const { GOVC_USERNAME: user, GOVC_PASSWORD: secret } = lab.env;
    const hosts = {
      ...{ place: 'DC', alone: 'esx1.localhost', alone_nics: ['vmnic0'] },
      ...{ joining: 'esx2.localhost', joining_nics: ['vmnic0'] },
    };
    await play(PLAYBOOK, { port: Number(new URL(lab.url).port), user, secret, ...hosts }, lab.stateDir);
    for (const device of network.devices) {
      assert.equal((await run('ip', ['link', 'show', device])).code, 0, `${device} is the machine’s again`);
    }
  });
});

async function startWorld() {
  await using undo = new AsyncDisposableStack();
  const network = undo.use(await makePhysicalNetwork(2));
  const uplinks = network.devices.flatMap((device, index) => ['--uplink', `esx${index + 1}=${device}`]);
  const lab = undo.use(await startLabCenter(2, uplinks));
  const all = undo.move();
  return { network, lab, log: () => lab.log(), [Symbol.asyncDispose]: () => all.disposeAsync() };
}
