// QEMU's events in this package's types. Events that nobody here needs are `undefined`.
import { findText, readFlag } from './read.ts';
import type { QmpEvent } from './wire.ts';

export type MachineEvent =
  /** QEMU ends. `byGuest`: the guest's own doing; `reason` is QEMU's ShutdownCause, e.g. `guest-shutdown`, `host-qmp-quit`. */
  | { readonly kind: 'shutdown'; readonly byGuest: boolean; readonly reason: string }
  | { readonly kind: 'reset'; readonly byGuest: boolean; readonly reason: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'continued' }
  | { readonly kind: 'suspendedByGuest' }
  | { readonly kind: 'wokenUp' }
  /** `device` is the qdev id. `action` says what QEMU did: `stop` paused the machine, `report` told the guest. */
  | {
      readonly kind: 'blockIoError';
      readonly device: string;
      readonly operation: 'read' | 'write';
      readonly action: 'stop' | 'report' | 'ignore';
      readonly noSpace: boolean;
      readonly reason: string;
    }
  | { readonly kind: 'imageCorrupted'; readonly node: string; readonly message: string; readonly fatal: boolean }
  | { readonly kind: 'deviceDeleted'; readonly device: string | undefined; readonly path: string }
  | { readonly kind: 'unplugRefused'; readonly device: string | undefined; readonly path: string }
  | { readonly kind: 'trayMoved'; readonly device: string; readonly isOpen: boolean }
  /** The guest opened or closed a virtio-serial port; `device` is the port's id. */
  | { readonly kind: 'channel'; readonly device: string; readonly isOpen: boolean }
  /** The guest changed a nic's filters or address; `device` is the nic's id. */
  | { readonly kind: 'nicFilterChanged'; readonly device: string | undefined }
  | { readonly kind: 'panicked'; readonly action: string }
  | { readonly kind: 'migration'; readonly status: string }
  | { readonly kind: 'jobChanged'; readonly job: string; readonly status: string };

export function readEvent({ event, data }: QmpEvent): MachineEvent | undefined {
  const text = (name: string) => findText(data, name) ?? '';
  switch (event) {
    case 'SHUTDOWN':
      return { kind: 'shutdown', byGuest: readFlag(data, 'guest'), reason: text('reason') };
    case 'RESET':
      return { kind: 'reset', byGuest: readFlag(data, 'guest'), reason: text('reason') };
    case 'STOP':
      return { kind: 'stopped' };
    case 'RESUME':
      return { kind: 'continued' };
    case 'SUSPEND':
      return { kind: 'suspendedByGuest' };
    case 'WAKEUP':
      return { kind: 'wokenUp' };
    case 'BLOCK_IO_ERROR': {
      const action = text('action');
      return {
        kind: 'blockIoError',
        device: deviceName(text('qom-path') || text('device')),
        operation: text('operation') === 'read' ? 'read' : 'write',
        action: action === 'report' || action === 'ignore' ? action : 'stop',
        noSpace: readFlag(data, 'nospace'),
        reason: text('reason'),
      };
    }
    case 'BLOCK_IMAGE_CORRUPTED':
      return { kind: 'imageCorrupted', node: text('node-name'), message: text('msg'), fatal: readFlag(data, 'fatal') };
    case 'DEVICE_DELETED':
      return { kind: 'deviceDeleted', device: findText(data, 'device'), path: text('path') };
    case 'DEVICE_UNPLUG_GUEST_ERROR':
      return { kind: 'unplugRefused', device: findText(data, 'device'), path: text('path') };
    case 'DEVICE_TRAY_MOVED':
      return {
        kind: 'trayMoved',
        device: deviceName(text('id') || text('device')),
        isOpen: readFlag(data, 'tray-open'),
      };
    case 'VSERPORT_CHANGE':
      return { kind: 'channel', device: text('id'), isOpen: readFlag(data, 'open') };
    case 'NIC_RX_FILTER_CHANGED':
      return { kind: 'nicFilterChanged', device: findText(data, 'name') };
    case 'GUEST_PANICKED':
      return { kind: 'panicked', action: text('action') };
    case 'MIGRATION':
      return { kind: 'migration', status: text('status') };
    case 'JOB_STATUS_CHANGE':
      return { kind: 'jobChanged', job: text('id'), status: text('status') };
    default:
      return undefined;
  }
}

/** The id at the end of a QOM path (`/machine/peripheral/disk-2000/…`), or the name itself. */
function deviceName(path: string): string {
  return /^\/machine\/peripheral\/([^/]+)/.exec(path)?.[1] ?? path;
}
