// A machine and where it runs -> QEMU's arguments (argv without the program). Pure; never a shell, one string an argument.
import { diskNodes, mediumNodes } from './block-nodes.ts';
import { chipsetGlobals, slotCarriers } from './chipset.ts';
import { controllerDevices } from './controllers.ts';
import { type BlockNode, type Device, MachineError } from './device.ts';
import { cdromDevice, diskDevice, floppyDevices, floppyGlobals } from './drives.ts';
import { bootOptions, firmwareGlobals, firmwareNodes } from './firmware.ts';
import { agentChardev, fixedDevices, RNG_OBJECT } from './fixed-devices.ts';
import { startModules } from './memory-modules.ts';
import type { HostBinding, Machine } from './model.ts';
import { nicDevices, nicNetdev } from './nics.ts';
import { optionText } from './option-text.ts';
import { platformArguments, processArguments } from './platform.ts';
import { runFiles } from './run-files.ts';
import { serialChardev, serialDevice } from './serials.ts';

/**
 * QEMU's arguments for `machine`. The same machine with the same binding gives the same arguments: resume and migration rely on it.
 * A nic with `linkUp` false has to be set down on the monitor before the vCPUs run (`nicsWithoutLink`): there is no argument.
 * Throws a MachineError for a machine that cannot be.
 */
export function machineArguments(machine: Machine, binding: HostBinding): string[] {
  requireIds(machine);
  const globals = [...chipsetGlobals(machine), ...firmwareGlobals(machine), ...floppyGlobals(machine)];
  const boot = bootOptions(machine);
  return [
    ...platformArguments(machine, binding),
    ...processArguments(binding),
    ...(boot === undefined ? [] : ['-boot', boot]),
    ...globals.flatMap((global) => ['-global', optionText('', global)]),
    ...startModules(machine).flatMap(({ backend }) => ['-object', JSON.stringify(backend)]),
    ...(machine.rng ? ['-object', JSON.stringify(RNG_OBJECT)] : []),
    ...chardevs(machine, binding).flatMap((text) => ['-chardev', text]),
    ...blockNodes(machine, binding).flatMap((node) => ['-blockdev', JSON.stringify(node)]),
    ...machine.nics.flatMap((nic) => ['-netdev', JSON.stringify(nicNetdev(nic, binding.networks[nic.id]))]),
    ...devices(machine).flatMap((device) => ['-device', JSON.stringify(device)]),
  ];
}

/** Ids of the nics whose link has to be set down before the guest runs. */
export function nicsWithoutLink(machine: Machine): string[] {
  return machine.nics.filter(({ linkUp }) => !linkUp).map(({ id }) => id);
}

function chardevs(machine: Machine, binding: HostBinding): string[] {
  const [kind, options] = agentChardev(`${binding.runFolder}/${runFiles.agent}`);
  return [optionText(kind, options), ...machine.serials.map((serial) => serialChardev(serial, binding))];
}

function blockNodes(machine: Machine, binding: HostBinding): BlockNode[] {
  const { vmFolder } = binding;
  return [
    ...firmwareNodes(machine, binding),
    ...machine.disks.flatMap((disk) => diskNodes(disk, vmFolder)),
    ...machine.cdroms.flatMap(({ id, file }) => (file === undefined ? [] : mediumNodes(id, file, true, vmFolder))),
    ...machine.floppies.flatMap(({ id, file, readOnly }) =>
      file === undefined ? [] : mediumNodes(id, file, readOnly, vmFolder),
    ),
  ];
}

function devices(machine: Machine): Device[] {
  return [
    ...slotCarriers(machine),
    ...fixedDevices(machine),
    ...startModules(machine).map(({ device }) => device),
    ...controllerDevices(machine),
    ...machine.disks.map((disk) => diskDevice(machine, disk)),
    ...machine.cdroms.map((cdrom) => cdromDevice(machine, cdrom)),
    ...floppyDevices(machine),
    ...nicDevices(machine),
    ...machine.serials.map(serialDevice),
  ];
}

// QEMU's rule for ids. Uniqueness is checked here because QEMU would only name the second device, not the caller's mistake.
function requireIds(machine: Machine): void {
  const { controllers, disks, cdroms, floppies, nics, serials } = machine;
  const seen = new Set<string>();
  for (const { id } of [...controllers, ...disks, ...cdroms, ...floppies, ...nics, ...serials]) {
    if (!/^[A-Za-z][\w.-]*$/.test(id)) throw new MachineError(`not a device id: ${JSON.stringify(id)}`);
    if (seen.has(id)) throw new MachineError(`two devices have the id ${id}`);
    seen.add(id);
  }
}
