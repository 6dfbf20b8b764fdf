// Starts one QEMU: folder, switch ports, files, process, monitor; and at the end lets the guest run. Whatever fails, nothing
// of it stays.
import { closeSync } from 'node:fs';
import { constants, copyFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dateTime } from '@vivarium/base';
import {
  continueMachine,
  FIRST_FD,
  jailFolders,
  type Launched,
  launch,
  loadState,
  openTranscript,
  setBalloon,
  setLink,
} from '@vivarium/qemu';
import {
  efiImages,
  type HostBinding,
  machineArguments,
  type NetworkBinding,
  nicsWithoutLink,
} from '@vivarium/qemu/machine';
import { MethodFault } from '@vivarium/vim';
import { vmGroup } from '../../resource-pool/control-groups.ts';
import type { StartSpec } from '../vmm.ts';
import { giveFiles, letRead } from './files.ts';
import { type ProcessRecord, writeProcessRecord } from './process-record.ts';
import { type QemuOptions, vmUid } from './qemu-options.ts';
import {
  linkImage,
  MEDIA_FOLDER,
  makeRunFolder,
  mediaName,
  type RunFolder,
  removeRunFolder,
  runFolderOf,
} from './run-folder.ts';

export interface StartedMachine {
  readonly folder: RunFolder;
  readonly record: ProcessRecord;
  readonly launched: Launched;
}

export async function startMachine(options: QemuOptions, spec: StartSpec): Promise<StartedMachine> {
  const { machine } = spec.hardware;
  const { groups } = options;
  const vmFolder = dirname(spec.vmxFile);
  const uid = vmUid(options, spec.id);
  const folder = runFolderOf(options.runRoot, spec.id, options.datastoreRoot(spec.vmxFile));
  await using undo = new AsyncDisposableStack();
  await makeRunFolder(folder, uid);
  undo.defer(() => removeRunFolder(folder));

  const intent: ProcessRecord = {
    version: 1,
    vmxFile: spec.vmxFile,
    bootTime: dateTime(options.clock),
    ports: Object.fromEntries([...spec.hardware.networks].map(([nic, port]) => [nic, port.portKey])),
    machine,
    accelerator: options.accelerator,
  };
  await writeProcessRecord(folder.path, intent);
  await prepareFiles(options, spec, uid);
  const binds = await exposeImages(options, spec, folder);
  const networks = await plugIn(options, spec, undo);
  using descriptors = new DisposableStack();
  for (const fd of networks.fds) descriptors.defer(() => closeSync(fd));

  const inside = jailFolders({ jail: options.jail, vmFolder, runFolder: folder.vmm });
  const binding: HostBinding = {
    accelerator: options.accelerator,
    runFolder: inside.runFolder,
    vmFolder: inside.vmFolder,
    networks: networks.bindings,
    paused: true,
    sandbox: true,
    ...(spec.resumeFrom ? { incoming: 'defer' as const } : {}),
    ...(options.jail === 'none' ? { runtimeFolder: options.runtimePath } : {}),
  };
  const launched = await launch({
    runtime: { path: options.runtimePath },
    args: machineArguments(machine, binding),
    vmFolder,
    runFolder: folder.vmm,
    binds,
    jail: options.jail,
    ...(uid === undefined ? {} : { uid }),
    fds: networks.fds,
    accelerator: options.accelerator,
    network: networks.usesHostNetwork ? 'host' : 'none',
    logFile: join(vmFolder, 'vmware.log'),
    ...(groups ? { enterGroup: (pid: number) => groups.enter(vmGroup(spec.id), pid) } : {}),
    clock: options.clock,
    log: options.log,
    transcript: openTranscript(join(vmFolder, 'vmware-monitor.log'), options),
  });
  undo.defer(() => {
    process.kill(launched.process.pid, 'SIGKILL');
  });
  const record: ProcessRecord = { ...intent, process: launched.process };
  await writeProcessRecord(folder.path, record);
  const { monitor } = launched;
  for (const nic of nicsWithoutLink(machine)) await setLink(monitor, nic, false);
  if (spec.resumeFrom) await loadState(monitor, `${inside.vmFolder}/${spec.resumeFrom.slice(vmFolder.length + 1)}`);
  if (machine.balloon && spec.memoryTargetMB !== undefined) await setBalloon(monitor, spec.memoryTargetMB * 2 ** 20);
  await Promise.all(networks.plugged);
  await spec.beforeRun();
  await continueMachine(monitor);
  undo.move();
  return { folder, record, launched };
}

async function prepareFiles(options: QemuOptions, spec: StartSpec, uid: number | undefined): Promise<void> {
  const { firmware } = spec.hardware.machine;
  if (firmware.kind === 'efi') {
    const nvram = join(dirname(spec.vmxFile), firmware.nvram);
    const isThere = await stat(nvram).then(
      () => true,
      () => false,
    );
    if (!isThere) {
      await copyFile(`${options.runtimePath}${efiImages(firmware).nvramTemplate}`, nvram, constants.COPYFILE_EXCL);
    }
  }
  await giveFiles([...spec.hardware.writableFiles, ...(spec.resumeFrom ? [spec.resumeFrom] : [])], uid);
}

/** Makes the images from elsewhere appear in the jail under the names that the machine model uses. */
async function exposeImages(options: QemuOptions, spec: StartSpec, folder: RunFolder) {
  if (options.jail === 'none') {
    if (spec.hardware.images.size > 0) throw new MethodFault('NotSupported', {}, 'images elsewhere need a jail');
    return [];
  }
  const binds = [{ host: folder.media, inside: MEDIA_FOLDER, writable: true }];
  const writable = new Set(spec.hardware.writableFiles);
  for (const [inside, host] of spec.hardware.images) {
    if (!writable.has(host)) await letRead(host);
    const isLinked = await linkImage(folder, mediaName(host), host);
    if (!isLinked) binds.push({ host, inside, writable: writable.has(host) });
  }
  return binds;
}

interface Networks {
  readonly bindings: Record<string, NetworkBinding>;
  readonly fds: number[];
  readonly usesHostNetwork: boolean;
  /** The switch learns of the ports while QEMU starts. */
  readonly plugged: readonly Promise<void>[];
}

async function plugIn(options: QemuOptions, spec: StartSpec, undo: AsyncDisposableStack): Promise<Networks> {
  const bindings: Record<string, NetworkBinding> = {};
  const fds: number[] = [];
  const plugged: Promise<void>[] = [];
  let usesHostNetwork = false;
  for (const [id, port] of spec.hardware.networks) {
    const nic = await options.network.beginAttach({ ...port, vmName: spec.vmName });
    const { connection } = nic;
    undo.defer(() => options.network.detach(port.portKey));
    plugged.push(nic.plugged);
    if (connection.kind === 'user') {
      bindings[id] = { kind: 'user', hostForward: connection.hostForward };
      usesHostNetwork = true;
      continue;
    }
    bindings[id] = { kind: 'tap', fd: FIRST_FD + fds.length };
    const fd = connection.openFd();
    fds.push(fd);
  }
  return { bindings, fds, usesHostNetwork, plugged };
}
