// Makes and finds the QEMU machines of one host.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { connectMonitor, findProcess, type Monitor, openTranscript, queryChardev, signalProcess } from '@vivarium/qemu';
import { runFiles } from '@vivarium/qemu/machine';
import type { Vmm, VmmEvents, VmmFactory } from '../vmm.ts';
import { type ProcessRecord, readProcessRecord } from './process-record.ts';
import type { QemuOptions } from './qemu-options.ts';
import { QemuVmm, releaseResources } from './qemu-vmm.ts';
import { type RunFolder, runFolderOf } from './run-folder.ts';
import { startMachine } from './start-machine.ts';

/** A monitor that does not greet in this time belongs to a QEMU that hangs. */
const ADOPT_MS = 5_000;

export function qemuVmms(options: QemuOptions): VmmFactory {
  return {
    async start(spec, events): Promise<Vmm> {
      const { folder, record, launched } = await startMachine(options, spec);
      const vmm = new QemuVmm(
        options,
        spec.id,
        { ...record, process: launched.process },
        folder,
        launched.monitor,
        events,
      );
      vmm.devices.learn(spec.hardware);
      vmm.hasAgent ||= await isAgentOpen(launched.monitor).catch(() => false);
      return vmm;
    },

    async adopt(vm, events): Promise<Vmm | undefined> {
      const folder = runFolderOf(options.runRoot, vm.id, options.datastoreRoot(vm.vmxFile));
      const record = await readProcessRecord(folder.path);
      if (!record) return undefined;
      const process = record.process && findProcess(record.process.pid, record.process.startTime);
      if (process && record.vmxFile === vm.vmxFile) {
        const adopted = await connect(options, vm, { ...record, process }, folder, events);
        if (adopted) return adopted;
        signalProcess(process, 'SIGKILL');
      }
      if (!record.process) await endStrays(folder);
      await releaseResources(options, vm.id, record, folder);
      return undefined;
    },
  };
}

async function connect(
  options: QemuOptions,
  vm: { id: string; vmxFile: string },
  record: ProcessRecord & { readonly process: NonNullable<ProcessRecord['process']> },
  folder: RunFolder,
  events: VmmEvents,
): Promise<QemuVmm | undefined> {
  try {
    const monitor = await connectMonitor(join(folder.vmm, runFiles.monitor), {
      clock: options.clock,
      log: options.log,
      transcript: openTranscript(join(dirname(vm.vmxFile), 'vmware-monitor.log'), options),
      timeoutMs: ADOPT_MS,
    });
    const vmm = new QemuVmm(options, vm.id, record, folder, monitor, events);
    vmm.hasAgent = await isAgentOpen(monitor);
    return vmm;
  } catch (error) {
    options.log.error({ vm: vm.id, pid: record.process.pid, err: error }, 'a running VMM does not answer; it is ended');
    return undefined;
  }
}

/** The agent may have come before anybody listened: to an earlier hostd, or while a suspended guest was resumed. */
async function isAgentOpen(monitor: Monitor): Promise<boolean> {
  return (await queryChardev(monitor)).some(({ label, isFrontendOpen }) => label === 'agent' && isFrontendOpen);
}

// A hostd that was killed between starting a VMM and noting its pid leaves one that nobody was told of. It is known by the
// run folder that is mounted in it.
async function endStrays(folder: RunFolder): Promise<void> {
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const mounts = await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => '');
    const isOurs = mounts
      .split('\n')
      .some((line) => line.split(' ')[3]?.endsWith(folder.vmm) && line.includes(' /run/vm '));
    if (isOurs) process.kill(pid, 'SIGKILL');
  }
}
