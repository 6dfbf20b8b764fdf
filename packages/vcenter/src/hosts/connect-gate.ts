// How many hosts are connected to at once: each has a great deal to tell. When a vCenter starts, takes over, or finds its network again, there
// are thousands that want in, and its clients are not to wait for all of them.
import type { Clock } from '@vivarium/base';

const AT_ONCE = 8;
/** Who takes longer is slow, or does not answer: the next one is let in beside it. */
const PATIENCE_MS = 500;
/** Between one host and the next: hosts that are refused at once, and there may be thousands, leave time for other things. */
const REST_MS = 80;

export class ConnectGate {
  readonly #clock: Clock;
  #inside = 0;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves, in the order of the calls, with what is to be called when the host is connected or has failed. Rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const giveUp = () => {
        this.#waiting.delete(goIn);
        reject(signal.reason);
      };
      const goIn = () => {
        signal.removeEventListener('abort', giveUp);
        resolve(this.#place());
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(goIn);
      this.#letIn();
    });
  }

  #place(): () => void {
    this.#inside += 1;
    let isLeft = false;
    const leave = () => {
      if (isLeft) return;
      isLeft = true;
      timer.cancel();
      this.#clock.setTimer(REST_MS, () => {
        this.#inside -= 1;
        this.#letIn();
      });
    };
    const timer = this.#clock.setTimer(PATIENCE_MS, leave);
    return leave;
  }

  #letIn(): void {
    for (const goIn of this.#waiting) {
      if (this.#inside >= AT_ONCE) return;
      this.#waiting.delete(goIn);
      goIn();
    }
  }
}
