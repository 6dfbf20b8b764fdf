// Changes so many VMs a second while so many sessions wait for news of all VMs, and says how the news arrived and what it cost.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { call, SoapSession, viewOfVms, vmsOf } from '../simulator/session.ts';
import type { Simulator } from '../simulator/start-simulator.ts';
import { formatMark } from './mark.ts';
import type { WatcherOptions, WatcherReport } from './watchers.ts';

const WATCHERS = fileURLToPath(new URL('./watchers.ts', import.meta.url));
const CHANGERS = 32;
/** What was changed last is still to arrive. */
const SETTLE_MS = 3000;

/**
 * What is changed: a custom value, which is vCenter's own, or the VM's configuration, which its host is asked to change and then
 * tells of.
 */
const KINDS = {
  customValue: {
    path: 'customValue',
    method: 'setCustomValue',
    args: (mark: string) => `<key>${FIELD}</key><value>${mark}</value>`,
  },
  configuration: {
    path: 'config.annotation',
    method: 'ReconfigVM_Task',
    args: (mark: string) => `<spec><annotation>${mark}</annotation></spec>`,
  },
} as const;
const FIELD = 'mark';

export interface FanOutPlan {
  readonly kind: keyof typeof KINDS;
  readonly sessions: number;
  readonly changesPerSecond: number;
  readonly warmUpSeconds: number;
  readonly measuredSeconds: number;
}

export interface FanOut extends WatcherReport {
  readonly changes: number;
  readonly seconds: number;
  readonly serverProcessorSeconds: number;
}

export async function measureFanOut(
  simulator: Simulator,
  plan: FanOutPlan,
  say: (text: string) => void,
): Promise<FanOut> {
  const { path } = KINDS[plan.kind];
  const options: WatcherOptions = { address: simulator.address, sessions: plan.sessions, path };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WATCHERS, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  try {
    say(`${plan.sessions} sessions are made`);
    const first = await lines.next();
    if (first.value !== 'ready') throw new Error('the watchers have ended');
    using changers = await openChangers(simulator, plan.kind);
    say(`${plan.changesPerSecond} changes a second: ${plan.warmUpSeconds} s to warm up`);
    await changers.run(plan.changesPerSecond, plan.warmUpSeconds);
    say(`${plan.measuredSeconds} s are measured`);
    child.stdin.write(`measure ${process.hrtime.bigint()}\n`);
    const before = await simulator.processorSeconds();
    const started = performance.now();
    const changes = await changers.run(plan.changesPerSecond, plan.measuredSeconds);
    const seconds = (performance.now() - started) / 1000;
    const serverProcessorSeconds = (await simulator.processorSeconds()) - before;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    child.stdin.write('report\n');
    const report = JSON.parse(String((await lines.next()).value)) as WatcherReport;
    return { ...report, changes, seconds, serverProcessorSeconds };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Sessions that change one VM after the other. */
async function openChangers(simulator: Simulator, kind: keyof typeof KINDS) {
  const { method, args } = KINDS[kind];
  const sessions = await Promise.all(Array.from({ length: CHANGERS }, () => SoapSession.open(simulator.address)));
  const [first] = sessions;
  if (!first) throw new Error('no sessions');
  const vms = await vmsOf(first, await viewOfVms(first));
  if (kind === 'customValue')
    await first.send(call('AddCustomFieldDef', 'CustomFieldsManager', 'CustomFieldsManager', `<name>${FIELD}</name>`));
  let at = 0;
  const change = (session: SoapSession) => {
    const vm = vms[at++ % vms.length] ?? '';
    return session.send(call(method, 'VirtualMachine', vm, args(formatMark(process.hrtime.bigint()))));
  };
  return {
    /** At an even pace for so long; fewer when the answers take too long. Resolves with how many there were. */
    async run(perSecond: number, seconds: number): Promise<number> {
      const started = performance.now();
      const endMs = started + seconds * 1000;
      let made = 0;
      await Promise.all(
        sessions.map(async (session, index) => {
          for (let turn = 0; ; turn++) {
            const dueMs = started + ((turn * sessions.length + index) * 1000) / perSecond;
            if (Math.max(dueMs, performance.now()) >= endMs) return;
            const waitMs = dueMs - performance.now();
            if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
            await change(session);
            made += 1;
          }
        }),
      );
      return made;
    },
    [Symbol.dispose]() {
      for (const session of sessions) session[Symbol.dispose]();
    },
  };
}
