import { test } from 'node:test';
import { asUser, testHost } from '../testing/test-host.ts';

void test('smoke', async (t) => {
  const host = await testHost(t);
  const vm = await host.create();
  console.log(
    await host.files(),
    host.events.map((e) => e._typeName),
  );
  await vm.powerOn(asUser());
  console.log(vm.view(), host.vmms.trace, host.network.ports());
  console.log(JSON.stringify(host.vmms.machine(vm.id).hardware, null, 1).slice(0, 3000));
  await vm.powerOff(asUser());
  console.log(host.network.ports(), await host.files(), host.complaints);
});
