// Screen and VNC.
import { VNC_PASSWORD_DISPLAY } from '../machine/run-files.ts';
import type { Qmp } from './monitor.ts';

/** Writes the screen as PNG into a file, named as QEMU sees it. Returns when it is written. */
export async function screendump(monitor: Qmp, file: string): Promise<void> {
  await monitor.execute('screendump', { filename: file, format: 'png' });
}

/**
 * Opens the VNC server with password (see `runFiles.vncPassword`) to whoever knows the password, of which VNC uses only the first
 * 8 characters; `undefined` closes it. Connections that exist stay when a password is changed and end when it is closed.
 */
export async function setVncPassword(monitor: Qmp, password: string | undefined): Promise<void> {
  const display = { protocol: 'vnc', display: VNC_PASSWORD_DISPLAY };
  if (password === undefined) {
    await monitor.execute('expire_password', { ...display, time: 'now' });
    return;
  }
  await monitor.execute('set_password', { ...display, password, connected: 'keep' });
  await monitor.execute('expire_password', { ...display, time: 'never' });
}
