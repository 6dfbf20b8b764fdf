// What a client makes in a vCenter, to be found again in another that has the same state.
import assert from 'node:assert/strict';
import type { VimClient } from '@vivarium/client';
import { make, type TaskInfo } from '@vivarium/vim';

/** What a client makes: a folder of another name that a task has given it, with a role and a permission on it. */
export async function makeThings(client: VimClient, name: string): Promise<void> {
  const { rootFolder, authorizationManager } = await client.content();
  const folder = await client.call(rootFolder, 'CreateFolder', { name: `${name}-first` });
  const renaming = await client.call(folder, 'Rename_Task', { newName: name });
  await client.waitForTask(renaming);
  assert.ok(authorizationManager);
  const privIds = ['Folder.Create', 'System.Read', 'System.View', 'System.Anonymous'];
  const roleId = await client.call(authorizationManager, 'AddAuthorizationRole', { name: `role of ${name}`, privIds });
  const permission = make('Permission', {
    principal: 'VIVARIUM.LOCAL\\Users',
    group: true,
    roleId: roleId as number,
    propagate: true,
  });
  await client.call(authorizationManager, 'SetEntityPermissions', { entity: folder, permission: [permission] });
}

export async function requireThings(client: VimClient, name: string): Promise<void> {
  const { rootFolder, authorizationManager, searchIndex, taskManager } = await client.content();
  assert.ok(authorizationManager && searchIndex && taskManager);
  const folder = await client.call(searchIndex, 'FindChild', { entity: rootFolder, name });
  assert.ok(folder, `the folder ${name} is there`);
  const roles = (await client.get(authorizationManager, 'roleList')) ?? [];
  const role = roles.find((one) => one.name === `role of ${name}`);
  assert.ok(role, `the role of ${name} is there`);
  const permissions = await client.call(authorizationManager, 'RetrieveEntityPermissions', {
    entity: folder,
    inherited: false,
  });
  assert.deepEqual(
    (permissions ?? []).map(({ principal, roleId }) => [principal, roleId]),
    [['VIVARIUM.LOCAL\\Users', role.roleId]],
  );
  const collector = await client.call(taskManager, 'CreateCollectorForTasks', { filter: make('TaskFilterSpec', {}) });
  const tasks = ((await client.call(collector, 'ReadNextTasks', { maxCount: 1000 })) ?? []) as TaskInfo[];
  const renamed = tasks.filter(
    ({ entity, descriptionId }) => entity?.value === folder.value && /rename/i.test(descriptionId),
  );
  assert.deepEqual(
    renamed.map(({ state }) => state),
    ['success'],
    `the task that renamed ${name} is in the history`,
  );
}
