import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ManagedObjectReference, make, schema } from '@vivarium/vim';
import { fault, testService, VM } from '../testing/test-service.ts';
import { disabledByHostState, disabledByVmState } from './state-disables.ts';

const runtime = (powerState: string, connectionState = 'connected', question?: object) =>
  ({ powerState, connectionState, ...(question ? { question } : {}) }) as never;
const ofVm = (...args: Parameters<typeof runtime>) =>
  disabledByVmState({ runtime: runtime(...args), hasSnapshot: false });

void test('the state of a VM rules methods out, each of which VMs have', () => {
  const off = ofVm('poweredOff');
  const on = ofVm('poweredOn');
  const suspended = ofVm('suspended');
  assert.ok(off.includes('PowerOffVM_Task') && off.includes('ResetVM_Task') && !off.includes('PowerOnVM_Task'));
  assert.ok(on.includes('PowerOnVM_Task') && on.includes('Destroy_Task') && !on.includes('PowerOffVM_Task'));
  assert.ok(suspended.includes('SuspendVM_Task') && suspended.includes('UpgradeVM_Task'));
  assert.ok(!suspended.includes('PowerOnVM_Task') && !suspended.includes('Destroy_Task'));
  assert.ok(on.includes('AnswerVM'));
  const asks = ofVm('poweredOn', 'connected', {});
  assert.ok(!asks.includes('AnswerVM') && asks.includes('SuspendVM_Task') && !asks.includes('PowerOffVM_Task'));
  const away = ofVm('poweredOff', 'disconnected');
  assert.ok(away.includes('PowerOnVM_Task') && away.includes('ReconfigVM_Task'));
  const kept = disabledByVmState({ runtime: runtime('poweredOff'), hasSnapshot: true });
  assert.ok(off.includes('RemoveAllSnapshots_Task') && !kept.includes('RemoveAllSnapshots_Task'));
  for (const name of new Set([...off, ...on, ...suspended, ...away]))
    assert.ok(schema.method('VirtualMachine', name), name);
  assert.equal(ofVm('poweredOn'), on, 'equal states share one list');
});

void test('the state of a host rules methods out, each of which hosts have', () => {
  const of = (connectionState: string, inMaintenanceMode: boolean) =>
    disabledByHostState({ connectionState, inMaintenanceMode } as never);
  assert.ok(of('connected', false).includes('ExitMaintenanceMode_Task'));
  assert.ok(of('connected', true).includes('EnterMaintenanceMode_Task'));
  assert.ok(of('connected', false).includes('ReconnectHost_Task'));
  const away = of('disconnected', false);
  assert.ok(away.includes('DisconnectHost_Task') && away.includes('EnterMaintenanceMode_Task'));
  assert.ok(!away.includes('ReconnectHost_Task'));
  for (const name of [...away, ...of('connected', true)]) assert.ok(schema.method('HostSystem', name), name);
});

async function world(context: TestContext, directory?: string) {
  const test = await testService(context, directory ? { directory } : {});
  const { graph, content } = test.service;
  const manager = content.authorizationManager as ManagedObjectReference as never;
  const admin = test.call();
  return {
    ...test,
    vm: graph.get(VM),
    shown: () => graph.get(VM).read('disabledMethod', admin) as string[],
    disable: (method: string, sourceId = 'backup', caller = admin) =>
      test.invoke(manager, 'DisableMethods', { entity: [VM], method: [{ method, reasonId: 'r' }], sourceId }, caller),
    enable: (method: string, sourceId = 'backup') =>
      test.invoke(manager, 'EnableMethods', { entity: [VM], method: [method], sourceId }),
  };
}

void test('a method that is disabled is refused until all who disabled it enable it, also after a restart', async (context) => {
  const first = await world(context);
  const destroy = ({ invoke }: typeof first) => invoke(VM, 'MarkAsTemplate');
  const refused = (source: string) => fault('MethodDisabled', { source });
  await assert.rejects(first.disable('NoSuchMethod'), fault('InvalidArgument', { invalidProperty: 'method' }));
  await first.disable('MarkAsTemplate');
  await first.disable('MarkAsTemplate', 'other');
  assert.ok(first.shown().includes('MarkAsTemplate'));
  await assert.rejects(destroy(first), refused('backup'));
  await first.stop();
  const second = await world(context, first.directory);
  await assert.rejects(destroy(second), refused('backup'));
  await second.enable('MarkAsTemplate');
  await assert.rejects(destroy(second), refused('other'));
  await second.enable('MarkAsTemplate', 'other');
  await assert.rejects(destroy(second), fault('NotSupported'), 'it reaches the VM again');
  assert.equal(second.service.store.range('disabledMethod/').length, 0);
});

void test('who watches disabledMethod hears when a state changes it', async (context) => {
  const { service, vm, shown } = await world(context);
  const heard: string[] = [];
  service.graph.subscribe(VM, (change) => {
    if (change.kind === 'modified') heard.push(...change.paths.filter((path) => path === 'disabledMethod'));
  });
  const state = (powerState: 'poweredOn' | 'poweredOff') =>
    make('VirtualMachineRuntimeInfo', { powerState, connectionState: 'connected' } as never);
  vm.set('runtime', state('poweredOff'));
  assert.equal(heard.length, 1);
  vm.set('runtime.numMksConnections', 1);
  assert.equal(heard.length, 1);
  vm.set('runtime.powerState', 'poweredOn');
  assert.equal(heard.length, 2);
  assert.ok(shown().includes('PowerOnVM_Task'));
});

void test('disabling needs its privilege on the entity', async (context) => {
  const { service, disable, call, login } = await world(context);
  const reader = { principal: 'reader', isGroup: false, roleId: -2, propagate: true };
  await service.authorization.grant(service.rootFolder, [reader]);
  const attempt = disable('MarkAsTemplate', 'backup', call(login('reader')));
  await assert.rejects(attempt, fault('NoPermission', { privilegeId: 'Global.DisableMethods' }));
});
