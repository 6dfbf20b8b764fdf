// Which of QEMU's BLOCK_IO_ERRORs still hold the machine up. QEMU tells of one a second for each disk and keeps the next one back, so that
// one may be told of when the machine has long gone on, and comes before or after the STOP that belongs to it (qapi/block-core.json).
import type { VmmEvents } from '../vmm.ts';

type IoError = Parameters<VmmEvents['ioError']>[0];

export interface IoErrorsOptions {
  /** QEMU's `query-status`. */
  readonly state: () => Promise<string>;
  /** The machine waits because of this. */
  readonly stoppedBy: (error: IoError) => void;
}

export class IoErrors {
  readonly #options: IoErrorsOptions;
  #error: IoError | undefined;
  /** Counts how often the machine went on: an answer from before that says nothing. */
  #era = 0;

  constructor(options: IoErrorsOptions) {
    this.#options = options;
  }

  /** BLOCK_IO_ERROR with the action `stop`. */
  failed(error: IoError): void {
    this.#error = error;
    void this.#look();
  }

  /** STOP, for whatever reason. */
  stopped(): void {
    if (this.#error) void this.#look();
  }

  /** RESUME. */
  continued(): void {
    this.#era += 1;
    this.#error = undefined;
  }

  async #look(): Promise<void> {
    const era = this.#era;
    const state = await this.#options.state().catch(() => undefined); // its end is told of elsewhere
    const error = this.#error;
    if (!error || state !== 'io-error' || era !== this.#era) return;
    this.#error = undefined;
    this.#options.stoppedBy(error);
  }
}
