/** QEMU refused a command. `class` is QMP's error class: GenericError, DeviceNotFound, CommandNotFound, DeviceNotActive, KVMMissingCap. */
export class QmpError extends Error {
  override readonly name = 'QmpError';
  readonly command: string;
  readonly class: string;
  /** QEMU's own words. */
  readonly description: string;

  constructor(command: string, errorClass: string, description: string) {
    super(`${command}: ${description}`);
    this.command = command;
    this.class = errorClass;
    this.description = description;
  }
}

/** The monitor is gone: QEMU ended, or the connection broke. */
export class MonitorClosedError extends Error {
  override readonly name = 'MonitorClosedError';
}

/** QEMU did not answer, or an awaited event did not come, in time. The command may still take effect. */
export class MonitorTimeoutError extends Error {
  override readonly name = 'MonitorTimeoutError';
}
