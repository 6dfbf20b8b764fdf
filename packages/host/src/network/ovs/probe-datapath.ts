// Which of Open vSwitch's two datapaths this machine offers: the kernel's (fast) or the userspace one (runs everywhere).
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { promisify } from 'node:util';
import type { NetworkFact } from '../provider.ts';
import type { Datapath } from './plan-rows.ts';

const LOADED = '/sys/module/openvswitch';

/** Looks, and loads the kernel's module when the machine has it. */
export async function probeDatapath(): Promise<{ datapath: Datapath; fact: NetworkFact }> {
  const said = existsSync(LOADED) ? undefined : await loadModule();
  if (existsSync(LOADED)) {
    return { datapath: 'system', fact: { name: 'ovs-datapath', ok: true, detail: "the kernel's (openvswitch)" } };
  }
  const detail = `userspace (netdev): slower than the kernel's, which this machine does not have${said ? ` (${said})` : ''}`;
  return { datapath: 'netdev', fact: { name: 'ovs-datapath', ok: true, detail } };
}

// The machine's own modprobe: a machine that has modules has it, and knows where they are and what it forbids.
async function loadModule(): Promise<string | undefined> {
  const modules = `/lib/modules/${release()}`;
  if (!existsSync(modules)) return `no ${modules}`;
  try {
    await promisify(execFile)('/sbin/modprobe', ['openvswitch'], { timeout: 20_000 });
    return undefined;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n')[0] : '';
    return said || 'modprobe openvswitch failed';
  }
}
