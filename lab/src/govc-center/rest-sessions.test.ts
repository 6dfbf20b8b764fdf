// Sessions over both doors, raw requests and storage policies, by govc.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { useLabSim } from '../testing/use-lab-sim.ts';

describe('govc sessions and raw requests', { skip: withoutGovc }, () => {
  const sim = useLabSim('-vm', '3');
  const govc = useGovc(sim);
  const rest = async <T>(method: string, path: string): Promise<T> =>
    JSON.parse(await govc('session.login', '-r', '-X', method, path)) as T;

  void test('about says vCenter, and the session is seen at the SOAP door', async () => {
    assert.match(await govc('about'), /VMware vCenter Server/);
    await govc('session.login', '-r');
    const sessions = lines(await govc('session.ls'));
    assert.ok(sessions.length >= 2, sessions.join('\n'));
  });

  void test('inventory and power are reached by raw requests in both forms', async () => {
    const vms = await rest<{ vm: string; name: string; power_state: string }[]>(
      'GET',
      '/api/vcenter/vm?names=DC0_H0_VM0',
    );
    assert.deepEqual(
      vms.map(({ name, power_state }) => [name, power_state]),
      [['DC0_H0_VM0', 'POWERED_ON']],
    );
    const wrapped = await rest<{ value: object[] }>('GET', '/rest/vcenter/vm?filter.power_states=POWERED_ON');
    assert.equal(wrapped.value.length, 6);
    const id = vms[0]?.vm ?? '';
    await govc.input('', 'session.login', '-r', '-X', 'POST', `/api/vcenter/vm/${id}/power?action=stop`);
    assert.match(await govc('vm.info', 'DC0_H0_VM0'), /poweredOff/);
    await govc.input('', 'session.login', '-r', '-X', 'POST', `/rest/vcenter/vm/${id}/power/start`);
    assert.match(await govc('vm.info', 'DC0_H0_VM0'), /poweredOn/);
    const info = await rest<{ disks: object; nics: object }>('GET', `/api/vcenter/vm/${id}`);
    assert.ok(Object.keys(info.nics).length > 0);
    for (const kind of ['datacenter', 'cluster', 'host', 'datastore', 'network', 'folder', 'resource-pool'])
      assert.ok((await rest<object[]>('GET', `/api/vcenter/${kind}`)).length > 0, kind);
  });

  void test('a virtual machine is made, found at the SOAP door, and deleted', async () => {
    const one = async (kind: string, key: string, filter = '') =>
      (await rest<Record<string, string>[]>('GET', `/api/vcenter/${kind}${filter}`))[0]?.[key] ?? '';
    const placement = {
      folder: await one('folder', 'folder', '?names=vm'),
      cluster: await one('cluster', 'cluster'),
      datastore: await one('datastore', 'datastore'),
    };
    const network = await one('network', 'network', '?names=VM%20Network');
    const spec = {
      name: 'made-by-rest',
      guest_OS: 'OTHER_6X_LINUX_64',
      placement,
      cpu: { count: 2 },
      memory: { size_MiB: 256 },
      disks: [{ new_vmdk: { capacity: 2 ** 30 } }],
      nics: [{ backing: { type: 'STANDARD_PORTGROUP', network }, start_connected: true }],
    };
    const made = await govc.input(JSON.stringify(spec), 'session.login', '-r', '-X', 'POST', '/api/vcenter/vm');
    const id = JSON.parse(made) as string;
    assert.match(await govc('vm.info', 'made-by-rest'), /CPU:\s+2 vCPU/);
    assert.match(await govc('device.ls', '-vm', 'made-by-rest'), /disk-1000-0|pvscsi/);
    const info = await rest<{ guest_OS: string; disks: object; nics: object }>('GET', `/api/vcenter/vm/${id}`);
    assert.equal(info.guest_OS, 'OTHER_6X_LINUX_64');
    assert.equal(Object.keys(info.disks).length, 1);
    assert.equal(Object.keys(info.nics).length, 1);
    const again = JSON.stringify(spec);
    await assert.rejects(govc.input(again, 'session.login', '-r', '-X', 'POST', '/api/vcenter/vm'), /ALREADY_EXISTS/);
    await govc('session.login', '-r', '-X', 'DELETE', `/api/vcenter/vm/${id}`);
    assert.equal(await govc('vm.info', 'made-by-rest'), '');
  });

  void test('a wrong password is refused at the REST door', async () => {
    const wrong = govc.with({ GOVC_PASSWORD: 'wrong', GOVC_PERSIST_SESSION: 'false' });
    await wrong.refused(/cis\/session: 401 Unauthorized/, 'tags.ls');
  });

  void test('there are no storage policies, and the answer says so', async () => {
    assert.deepEqual(lines(await govc('storage.policy.ls')), []);
    await govc.refused(/./, 'storage.policy.ls', 'vSAN Default Storage Policy');
  });
});
