// Which of Open vSwitch's two datapaths this machine offers: the kernel's (fast) or the userspace one (runs everywhere).
import { existsSync } from 'node:fs';
import { release } from 'node:os';
import type { NetworkFact } from '../provider.ts';
import { runTool, ToolFailure, type Tools } from '../tools.ts';
import type { Datapath } from './plan-rows.ts';

const LOADED = '/sys/module/openvswitch';

/** Looks, and loads the kernel's module when the machine has it. */
export async function probeDatapath(tools: Tools): Promise<{ datapath: Datapath; fact: NetworkFact }> {
  const said = existsSync(LOADED) ? undefined : await loadModule(tools);
  if (existsSync(LOADED)) {
    return { datapath: 'system', fact: { name: 'ovs-datapath', ok: true, detail: "the kernel's (openvswitch)" } };
  }
  const detail = `userspace (netdev): slower than the kernel's, which this machine does not have${said ? ` (${said})` : ''}`;
  return { datapath: 'netdev', fact: { name: 'ovs-datapath', ok: true, detail } };
}

async function loadModule(tools: Tools): Promise<string | undefined> {
  const modules = `/lib/modules/${release()}`;
  if (!existsSync(modules)) return `no ${modules}`;
  try {
    const options = { readable: ['/lib/modules'], capabilities: ['CAP_SYS_MODULE'] };
    await runTool(tools, { program: '/usr/sbin/modprobe', args: ['openvswitch'], ...options });
    return undefined;
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error;
    return error.stderr.trim().split('\n')[0];
  }
}
