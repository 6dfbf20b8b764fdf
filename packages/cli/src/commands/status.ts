// viv status: vCenter, the hosts and their VMs at a glance.

import { centerInstance, hostInstances, readLayout } from '../layout.ts';
import { openSession } from '../session.ts';
import { findRunning, type Instance } from '../state.ts';
import { listVms } from '../vms.ts';

export async function status(options: { stateDir: string; json?: boolean }): Promise<void> {
  const layout = (await readLayout(options.stateDir)) ?? { hosts: [] };
  const center = centerInstance(options.stateDir, layout);
  const vcenter = center && (await describeCenter(center, layout.vcenter?.store));
  const hosts = [];
  for (const instance of hostInstances(options.stateDir, layout)) {
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
    process.stdout.write(`${JSON.stringify({ stateDir: options.stateDir, ...(vcenter ? { vcenter } : {}), hosts })}\n`);
    return;
  }
  if (vcenter)
    process.stdout.write(`vcenter  ${[vcenter.state, vcenter.url, vcenter.store].filter(Boolean).join('  ')}\n`);
  if (hosts.length === 0 && !vcenter) process.stdout.write('nothing was brought up yet; begin with: ./viv up\n');
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

interface CenterStatus {
  readonly state: 'running' | 'stands by' | 'stopped';
  readonly url?: string;
  readonly pid?: number;
  /** Absent = beside it. */
  readonly store?: string;
}

async function describeCenter(center: Instance, store: string | undefined): Promise<CenterStatus> {
  const running = await findRunning(center);
  const place = store === undefined ? {} : { store };
  if (!running) return { state: 'stopped', ...place };
  const state = running.standsBy ? 'stands by' : 'running';
  return { state, url: `https://${running.address}:${running.port}`, pid: running.pid, ...place };
}
