// viv status: the host and its VMs at a glance.
import { openSession } from '../session.ts';
import { findRunning, instances } from '../state.ts';
import { listVms } from '../vms.ts';

export async function status(options: { stateDir: string; json?: boolean }): Promise<void> {
  const hosts = [];
  for (const instance of instances(options.stateDir)) {
    const running = await findRunning(instance);
    if (!running) {
      hosts.push({ name: instance.name, state: 'stopped', vms: [] });
      continue;
    }
    await using session = await openSession(instance);
    const vms = await listVms(session.client);
    hosts.push({
      name: instance.name,
      state: 'running',
      url: session.url,
      pid: running.pid,
      vms: vms.map(({ name, powerState, ipAddress }) => ({ name, powerState, ipAddress })),
    });
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ stateDir: options.stateDir, hosts })}\n`);
    return;
  }
  for (const host of hosts) {
    process.stdout.write(`${host.name}  ${host.state}${host.url ? `  ${host.url}` : ''}\n`);
    if (host.state === 'stopped') process.stdout.write('  start it with: ./viv up\n');
    else if (host.vms.length === 0) process.stdout.write('  no virtual machines yet; make one with: govc vm.create\n');
    const width = Math.max(0, ...host.vms.map(({ name }) => name.length));
    for (const vm of host.vms) {
      process.stdout.write(`  ${vm.name.padEnd(width)}  ${vm.powerState.padEnd(10)}  ${vm.ipAddress ?? ''}\n`);
    }
  }
}
