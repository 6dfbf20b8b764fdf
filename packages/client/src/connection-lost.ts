// The endpoint cannot be reached, or is not heard any more. Neither a fault (an answer) nor a bug.

export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  /** False: the request was not sent, so nothing was done. True: it may have been carried out. */
  readonly mayHaveArrived: boolean;

  constructor(message: string, options: { readonly cause?: unknown; readonly mayHaveArrived: boolean }) {
    super(message, { cause: options.cause });
    this.mayHaveArrived = options.mayHaveArrived;
  }
}
