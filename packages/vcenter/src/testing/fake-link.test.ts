import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostUnreachable } from '../host-link/host-link.ts';
import { FakeHost } from './fake-host.ts';

void test('who waits for the end of a host’s task is told when the connection ends, also while news are being taken in', async () => {
  const host = new FakeHost('esx1');
  const vm = host.addVm({ name: 'web' });
  const link = host.connect();
  const ending = new AbortController();
  const blocked = Promise.withResolvers<void>();
  const followed = (async () => {
    for await (const _ of link.updates(ending.signal)) await blocked.promise;
  })();
  await new Promise((resolve) => setImmediate(resolve));
  const run = link.run(vm.ref, 'PowerOnVM_Task', {});
  await new Promise((resolve) => setImmediate(resolve));
  ending.abort();
  blocked.resolve();
  await followed;
  await assert.rejects(run, HostUnreachable);
});
