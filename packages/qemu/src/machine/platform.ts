// What a machine is made of besides devices: type, processors, memory, clock, identity, and how QEMU itself behaves.

import { MachineError } from './device.ts';
import { firmwareMachineProperties } from './firmware.ts';
import type { HostBinding, Machine } from './model.ts';
import { optionText } from './option-text.ts';
import { chipsetOf } from './pci-slots.ts';
import { runFiles, VNC_PASSWORD_DISPLAY } from './run-files.ts';

/** Translated code of one machine: QEMU's own default of up to 1 GiB would undo the density of many small guests. */
const TCG_CODE_MB = 256;

export function platformArguments(machine: Machine, binding: HostBinding): string[] {
  return [
    ...['-name', optionText('', { guest: machine.name, 'debug-threads': true })],
    ...['-uuid', machine.uuid],
    ...['-machine', machineText(machine)],
    ...['-accel', acceleratorText(binding)],
    ...['-cpu', cpuText(machine)],
    ...['-smp', topologyText(machine)],
    ...['-m', memoryText(machine)],
    ...['-overcommit', 'mem-lock=off'],
    ...['-rtc', optionText('', { base: machine.rtc ?? 'utc', driftfix: 'slew' })],
    ...['-smbios', smbiosText(machine)],
  ];
}

function machineText(machine: Machine): string {
  return optionText(machine.machineType, {
    ...(chipsetOf(machine.machineType) === 'q35' ? { sata: false } : {}),
    usb: false,
    // VMware's backdoor port would promise tools services that are not behind it.
    vmport: false,
    'mem-merge': true,
    'dump-guest-core': false,
    ...firmwareMachineProperties(machine),
  });
}

function acceleratorText({ accelerator }: HostBinding): string {
  return accelerator === 'kvm' ? 'kvm' : optionText('tcg', { thread: 'multi', 'tb-size': TCG_CODE_MB });
}

// A model with flags (`qemu64,+ssse3`) is one text for QEMU; it comes from the host's configuration, never from a client.
function cpuText({ cpu }: Machine): string {
  if (!/^[\w.-]+(,[\w.+=-]+)*$/.test(cpu.model))
    throw new MachineError(`not a CPU model: ${JSON.stringify(cpu.model)}`);
  return cpu.model;
}

function topologyText({ cpu }: Machine): string {
  const cores = Math.max(1, cpu.coresPerSocket);
  const maxCount = Math.max(cpu.maxCount, cpu.count);
  const sockets = Math.ceil(maxCount / cores);
  return optionText('', { cpus: cpu.count, maxcpus: sockets * cores, sockets, cores, threads: 1 });
}

/** Memory modules that can be plugged; each is one `plugMemory`. */
export const MEMORY_SLOTS = 32;

function memoryText({ memoryMB, memoryMaxMB }: Machine): string {
  const maxMB = memoryMaxMB ?? memoryMB;
  return optionText('', {
    size: `${memoryMB}M`,
    ...(maxMB > memoryMB ? { slots: MEMORY_SLOTS, maxmem: `${maxMB}M` } : {}),
  });
}

function smbiosText({ smbios, uuid }: Machine): string {
  return optionText('', {
    type: 1,
    uuid,
    manufacturer: smbios?.manufacturer.slice(0, 64) ?? 'Vivarium',
    product: smbios?.product.slice(0, 64) ?? 'Virtual Machine',
    version: smbios?.version?.slice(0, 64),
    serial: smbios?.serial?.slice(0, 64),
  });
}

/** QEMU's own behaviour: monitor, displays, sandbox, how it starts. */
export function processArguments(binding: HostBinding): string[] {
  const inRunFolder = (name: string) => `${binding.runFolder}/${name}`;
  const sandbox = { obsolete: 'deny', elevateprivileges: 'deny', spawn: 'deny', resourcecontrol: 'deny' };
  return [
    ...['-nodefaults', '-no-user-config', '-msg', 'timestamp=on'],
    ...(binding.sandbox ? ['-sandbox', optionText('on', sandbox)] : []),
    ...(binding.runtimeFolder === undefined ? [] : dataFolders(binding.runtimeFolder)),
    ...['-qmp', optionText(unixSocket(inRunFolder(runFiles.monitor)), { server: true, wait: false })],
    ...['-vnc', optionText(unixSocket(inRunFolder(runFiles.vnc)), { share: 'force-shared' })],
    ...[
      '-vnc',
      optionText(unixSocket(inRunFolder(runFiles.vncPassword)), { id: VNC_PASSWORD_DISPLAY, password: true }),
    ],
    ...(binding.paused ? ['-S'] : []),
    ...(binding.incoming === undefined ? [] : ['-incoming', binding.incoming]),
  ];
}

// The address is the first option value of `-qmp` and `-vnc`.
const unixSocket = (path: string) => `unix:${path.replaceAll(',', ',,')}`;

// Outside a jail QEMU would look for its firmware where the distribution has its own.
const dataFolders = (root: string) =>
  ['share/qemu', 'share/seabios', 'lib/ipxe/qemu'].flatMap((name) => ['-L', `${root}/usr/${name}`]);
