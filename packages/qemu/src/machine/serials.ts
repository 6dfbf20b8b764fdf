// Serial ports as ISA UARTs. Their far end is a file, a socket or nothing.
import { insideFolder } from './block-nodes.ts';
import { type Device, MachineError } from './device.ts';
import type { Serial } from './model.ts';
import { optionText } from './option-text.ts';

const ISA_PORTS = 4;

const chardevId = (serial: Serial) => `char-${serial.id}`;

export function serialDevice(serial: Serial): Device {
  if (!Number.isInteger(serial.index) || serial.index < 0 || serial.index >= ISA_PORTS) {
    throw new MachineError(`${serial.id}: a machine has serial ports 0 to ${ISA_PORTS - 1}`);
  }
  return { driver: 'isa-serial', id: serial.id, index: serial.index, chardev: chardevId(serial) };
}

/** The text of `-chardev`, which takes no JSON. */
export function serialChardev(serial: Serial, folders: { vmFolder: string; runFolder: string }): string {
  const id = chardevId(serial);
  const { backing } = serial;
  switch (backing.kind) {
    case 'file':
      return optionText('file', { id, path: insideFolder(folders.vmFolder, backing.file), append: backing.append });
    case 'socket': {
      const path = insideFolder(folders.runFolder, backing.path);
      // A server that nobody listens to must not hold up the guest; a client tries again when its server went away.
      return backing.server
        ? optionText('socket', { id, path, server: true, wait: false })
        : optionText('socket', { id, path, server: false, 'reconnect-ms': 1000 });
    }
    case 'null':
      return optionText('null', { id });
  }
}
