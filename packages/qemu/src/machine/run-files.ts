// Names of what a running machine has in its run folder. Sockets have no access control of their own: the folder's mode is it.

export const runFiles = {
  /** The monitor of the daemon. */
  monitor: 'qmp.sock',
  /** The channel of the guest agent. */
  agent: 'agent.sock',
  /** VNC without authentication, for the daemon itself. */
  vnc: 'vnc.sock',
  /** VNC that lets nobody in until a password is set (`setVncPassword`); the daemon may offer it on a TCP port. */
  vncPassword: 'vnc-password.sock',
} as const;

/** QEMU's id of the VNC server with a password. */
export const VNC_PASSWORD_DISPLAY = 'password';
