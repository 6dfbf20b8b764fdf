import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moRef } from '@vivarium/vim';
import { ROLE_READ_ONLY } from './authorization/roles.ts';
import { SERVICE_INSTANCE } from './service-instance/service-instance.ts';
import { turn } from './testing/test-clock.ts';
import { fault, OTHER_VM, ROOT, testService, VM } from './testing/test-service.ts';

void test('a known method of a known object is called with its arguments and the caller', async (context) => {
  const { service, invoke, call } = await testService(context);
  const seen: unknown[] = [];
  service.graph.add(
    moRef('VirtualMachine', '3'),
    {},
    {
      AnswerVM: (args, { session }) => void seen.push(args, session.userName),
    },
  );
  await invoke(moRef('VirtualMachine', '3'), 'AnswerVM', { questionId: '1', answerChoice: '0' }, call());
  assert.deepEqual(seen, [{ questionId: '1', answerChoice: '0' }, 'root']);
});

void test('methods that nobody built, methods and objects that do not exist are told apart', async (context) => {
  const { invoke } = await testService(context);
  await assert.rejects(invoke(VM, 'StartRecording_Task', { name: 'x' }), fault('NotSupported'));
  await assert.rejects(invoke(VM, 'CreateFolder'), fault('MethodNotFound', { receiver: VM, method: 'CreateFolder' }));
  await assert.rejects(invoke(VM, 'constructor'), fault('MethodNotFound'));
  await assert.rejects(
    invoke(moRef('VirtualMachine', '99'), 'ShutdownGuest'),
    fault('ManagedObjectNotFound', { obj: { type: 'VirtualMachine', value: '99' } }),
  );
  await assert.rejects(invoke(moRef('Folder', '1'), 'CreateFolder', { name: 'x' }), fault('ManagedObjectNotFound'));
});

void test('without a login only what is open to everybody works, and nobody learns what exists', async (context) => {
  const { service, invoke, call } = await testService(context);
  const anonymous = call(service.sessions.anonymous);
  const content = await invoke<{ rootFolder: unknown }>(SERVICE_INSTANCE, 'RetrieveServiceContent', {}, anonymous);
  assert.deepEqual(content.rootFolder, ROOT);
  await assert.rejects(
    invoke(SERVICE_INSTANCE, 'CurrentTime', {}, anonymous),
    fault('NotAuthenticated', { object: SERVICE_INSTANCE, privilegeId: 'System.View' }),
  );
  for (const ref of [VM, moRef('VirtualMachine', '99')]) {
    await assert.rejects(invoke(ref, 'PowerOnVM_Task', {}, anonymous), fault('NotAuthenticated', { object: ref }));
  }
  await assert.rejects(invoke(VM, 'Fetch', { prop: 'name' }, anonymous), fault('NotAuthenticated'));
  assert.ok(await invoke(SERVICE_INSTANCE, 'Fetch', { prop: 'content' }, anonymous));
});

void test('the privilege of the method is checked on the object', async (context) => {
  const { service, invoke, call, login } = await testService(context);
  await service.authorization.grant(ROOT, [
    { principal: 'reader', isGroup: false, roleId: ROLE_READ_ONLY, propagate: true },
  ]);
  const reader = call(login('reader'));
  assert.deepEqual(await invoke(VM, 'Fetch', { prop: 'name' }, reader), { _typeName: 'string', _value: 'vm1' });
  await assert.rejects(
    invoke(VM, 'PowerOnVM_Task', {}, reader),
    fault('NoPermission', { object: VM, privilegeId: 'VirtualMachine.Interact.PowerOn' }),
  );
  await assert.rejects(invoke(VM, 'ShutdownGuest', {}, call(login('stranger'))), fault('NoPermission'));
});

void test('the privileges of arguments are checked on what they name', async (context) => {
  const { service, invoke, call, login } = await testService(context);
  const fields = service.content.customFieldsManager;
  assert.ok(fields);
  const { key } = await invoke<{ key: number }>(fields, 'AddCustomFieldDef', { name: 'owner' });
  const roleId = await service.authorization.addRole('tagger', ['Global.SetCustomField']);
  await service.authorization.grant(VM, [{ principal: 'tagger', isGroup: false, roleId, propagate: true }]);
  const tagger = call(login('tagger'));
  await invoke(fields, 'SetField', { entity: VM, key, value: 'me' }, tagger);
  await assert.rejects(
    invoke(fields, 'SetField', { entity: OTHER_VM, key, value: 'me' }, tagger),
    fault('NoPermission', { object: OTHER_VM, privilegeId: 'Global.SetCustomField' }),
  );
  const gone = moRef('VirtualMachine', '99');
  await assert.rejects(
    invoke(fields, 'SetField', { entity: gone, key, value: '' }, tagger),
    fault('ManagedObjectNotFound'),
  );
});

void test('methods whose privilege depends on their arguments need the right one', async (context) => {
  const { service, invoke, call, login } = await testService(context);
  service.graph.add(
    moRef('VirtualMachine', '3'),
    { name: 'vm3', parent: ROOT },
    { ReconfigVM_Task: () => moRef('Task', 'none') },
  );
  const vm = moRef('VirtualMachine', '3');
  const roleId = await service.authorization.addRole('notes', [
    'VirtualMachine.Config.Annotation',
    'VirtualMachine.Config.Memory',
  ]);
  await service.authorization.grant(ROOT, [{ principal: 'writer', isGroup: false, roleId, propagate: true }]);
  const writer = call(login('writer'));
  await invoke(vm, 'ReconfigVM_Task', { spec: { annotation: 'x', memoryMB: 64 } }, writer);
  await assert.rejects(
    invoke(vm, 'ReconfigVM_Task', { spec: { annotation: 'x', numCPUs: 2 } }, writer),
    fault('NoPermission', { privilegeId: 'VirtualMachine.Config.CPUCount' }),
  );
  await assert.rejects(
    invoke(vm, 'Rename_Task', { newName: 'x' }, writer),
    fault('NoPermission', { privilegeId: 'VirtualMachine.Config.Rename' }),
  );
  await assert.rejects(
    invoke(vm, 'Destroy_Task', {}, writer),
    fault('NoPermission', { privilegeId: 'VirtualMachine.Inventory.Delete' }),
  );
});

void test("another session's objects do not exist", async (context) => {
  const { service, invoke, call, login } = await testService(context);
  const events = service.content.eventManager;
  assert.ok(events);
  const [mine, other] = [call(login('root')), call(login('root'))];
  const collector = await invoke<ReturnType<typeof moRef<'EventHistoryCollector'>>>(
    events,
    'CreateCollectorForEvents',
    { filter: {} },
    mine,
  );
  await invoke(collector, 'ReadNextEvents', { maxCount: 1 }, mine);
  await assert.rejects(invoke(collector, 'ReadNextEvents', { maxCount: 1 }, other), fault('ManagedObjectNotFound'));
  service.sessions.logout(mine.session);
  assert.equal(service.graph.find(collector), undefined);
});

void test('a call that waits is told that its session has ended', async (context) => {
  const { service, invoke, call, login } = await testService(context);
  const { propertyCollector } = service.content;
  const waiter = call(login('root'));
  const spec = { propSet: [{ type: 'Folder', pathSet: ['name'] }], objectSet: [{ obj: ROOT }] };
  await invoke(propertyCollector, 'CreateFilter', { spec, partialUpdates: false }, waiter);
  const { version } = await invoke<{ version: string }>(propertyCollector, 'WaitForUpdatesEx', {}, waiter);
  const waiting = assert.rejects(
    invoke(propertyCollector, 'WaitForUpdatesEx', { version }, waiter),
    fault('NotAuthenticated'),
  );
  await turn();
  service.sessions.logout(waiter.session);
  await waiting;
});
