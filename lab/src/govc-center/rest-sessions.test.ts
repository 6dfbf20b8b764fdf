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

  void test('a wrong password is refused at the REST door', async () => {
    const wrong = govc.with({ GOVC_PASSWORD: 'wrong', GOVC_PERSIST_SESSION: 'false' });
    await wrong.refused(/cis\/session: 401 Unauthorized/, 'tags.ls');
  });

  void test('there are no storage policies, and the answer says so', async () => {
    assert.deepEqual(lines(await govc('storage.policy.ls')), []);
    await govc.refused(/./, 'storage.policy.ls', 'vSAN Default Storage Policy');
  });
});
