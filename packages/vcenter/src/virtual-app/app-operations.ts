// The vApps that are being started or stopped: until that is over, nobody else turns their VMs on or off. In memory only; a
// vCenter that was killed meanwhile finds the VMs as they are.
import { type ManagedObjectReference, MethodFault, type MoRef } from '@vivarium/vim';
import type { Inventory } from '../inventory/inventory.ts';
import { appsAround } from './app-around.ts';

type App = MoRef<'VirtualApp'>;

interface Operation {
  readonly state: 'starting' | 'stopping';
  readonly task: MoRef<'Task'>;
}

export class AppOperations {
  readonly #inventory: Inventory;
  readonly #running = new Map<string, Operation>();
  readonly #listeners = new Set<(app: App) => void>();

  constructor(inventory: Inventory) {
    this.#inventory = inventory;
  }

  onChange(listener: (app: App) => void): void {
    this.#listeners.add(listener);
  }

  stateOf(app: App): Operation['state'] | undefined {
    return this.#running.get(app.value)?.state;
  }

  /** Fault: TaskInProgress, when it or a vApp around it is being started or stopped. */
  begin(app: App, operation: Operation): Disposable {
    this.requireCalm(app);
    this.#running.set(app.value, operation);
    this.#tell(app);
    return {
      [Symbol.dispose]: () => {
        this.#running.delete(app.value);
        this.#tell(app);
      },
    };
  }

  /** Fault: TaskInProgress, when a vApp around the VM or vApp is being started or stopped. */
  requireCalm(ref: ManagedObjectReference): void {
    for (const app of [ref, ...appsAround(this.#inventory, ref)]) {
      const running = this.#running.get(app.value);
      if (running) throw new MethodFault('TaskInProgress', { task: running.task });
    }
  }

  #tell(app: App): void {
    for (const listener of this.#listeners) listener(app);
  }
}
