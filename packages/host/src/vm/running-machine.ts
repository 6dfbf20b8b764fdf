// The machine of a VM while it runs, as the VM's driver holds it; and the line on which it is heard, from the order to
// start it to its end.
import type { Admission } from '../resource-pool/vm-resources.ts';
import type { ObservedGuest } from './observed-guest.ts';
import type { Ending, Vmm, VmmEvents } from './vmm.ts';

export class RunningMachine {
  readonly vmm: Vmm;
  readonly observed: ObservedGuest;
  readonly admission: Admission;
  /** Absolute paths of what it has open. */
  files: readonly string[];
  #isEnding = false;
  /** Tells of the end that came while it was expected. */
  #tellEnd: (() => void) | undefined;

  constructor(vmm: Vmm, observed: ObservedGuest, admission: Admission, files: readonly string[]) {
    this.vmm = vmm;
    this.observed = observed;
    this.admission = admission;
    this.files = files;
  }

  /** From now on its end is what we want: nobody is told. */
  expectEnd(): void {
    this.#isEnding = true;
  }

  /** It was to end, and that failed: if it has ended all the same, that is told now. */
  unexpectEnd(): void {
    this.#isEnding = false;
    this.#tellEnd?.();
  }

  noteEnd(tell: () => void): void {
    if (this.#isEnding) this.#tellEnd = tell;
    else tell();
  }

  /** Whether it still answers: its end may be felt before it is announced. */
  async isThere(): Promise<boolean> {
    if (this.#isEnding) return false;
    return this.vmm.isRunning().then(
      () => true,
      () => false,
    );
  }
}

/** What a machine does by itself. */
export interface MachineListener {
  /** Nobody had asked for it. */
  ended(machine: RunningMachine, ending: Ending): void;
  ioError(machine: RunningMachine, error: Parameters<VmmEvents['ioError']>[0]): void;
  resumed(machine: RunningMachine): void;
}

/** Hears one machine. What happens before somebody holds it is told afterwards, in order. */
export class MachineLine {
  /** For the VmmFactory. */
  readonly events: VmmEvents;
  #machine: RunningMachine | undefined;
  readonly #early: ((machine: RunningMachine) => void)[] = [];

  constructor(listener: MachineListener) {
    const hear =
      <T extends unknown[]>(tell: (machine: RunningMachine, ...args: T) => void) =>
      (...args: T) => {
        const machine = this.#machine;
        if (machine) tell(machine, ...args);
        else this.#early.push((held) => tell(held, ...args));
      };
    this.events = {
      ended: hear((machine, ending: Ending) => machine.noteEnd(() => listener.ended(machine, ending))),
      reset: () => undefined,
      ioError: hear((machine, error: Parameters<VmmEvents['ioError']>[0]) => listener.ioError(machine, error)),
      resumed: hear((machine) => listener.resumed(machine)),
      agent: hear(({ observed }, isConnected: boolean) => observed.agentChanged(isConnected)),
      macChanged: hear(({ observed }) => observed.hurry()),
    };
  }

  /** The machine is held, and its VM is in order: tells what has happened so far. */
  connect(machine: RunningMachine): void {
    this.#machine = machine;
    for (const event of this.#early.splice(0)) event(machine);
  }
}
