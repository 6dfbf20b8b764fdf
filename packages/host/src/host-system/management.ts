// By which vCenter the host is managed: one at a time. Kept in the store, as ESXi keeps it in vpxa's configuration.
import { Mutex } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import { MethodFault } from '@vivarium/vim';

export interface ManagingVcenter {
  readonly serverIp: string;
  /** AboutInfo.instanceUuid of the vCenter: it may get another address. */
  readonly instanceUuid: string;
}

const KEY = 'host/management';

export class Management {
  readonly #store: Pick<Store, 'get' | 'batch'>;
  readonly #mutex = new Mutex();
  readonly #listeners = new Set<() => void>();
  #vcenter: ManagingVcenter | undefined;

  constructor(store: Pick<Store, 'get' | 'batch'>) {
    this.#store = store;
    this.#vcenter = store.get<ManagingVcenter>(KEY)?.value;
  }

  get vcenter(): ManagingVcenter | undefined {
    return this.#vcenter;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * This vCenter manages the host from now on. True when it took it from another one, which needs `force`. Fault:
   * AlreadyBeingManaged.
   */
  claim(vcenter: ManagingVcenter, force: boolean): Promise<boolean> {
    return this.#mutex.run(async () => {
      const isOthers = this.#isOthers(vcenter.instanceUuid);
      if (isOthers && !force) throw this.#alreadyManaged();
      await this.#store.batch([{ put: KEY, value: vcenter }]);
      this.#become(vcenter);
      return isOthers;
    });
  }

  /** Nobody manages the host any more. Fault: AlreadyBeingManaged when another vCenter does. */
  release(instanceUuid: string): Promise<void> {
    return this.#mutex.run(async () => {
      if (!this.#vcenter) return;
      if (this.#isOthers(instanceUuid)) throw this.#alreadyManaged();
      await this.#store.batch([{ delete: KEY }]);
      this.#become(undefined);
    });
  }

  #isOthers(instanceUuid: string): boolean {
    return this.#vcenter !== undefined && this.#vcenter.instanceUuid !== instanceUuid;
  }

  #alreadyManaged(): MethodFault {
    return new MethodFault('AlreadyBeingManaged', { ipAddress: this.#vcenter?.serverIp ?? '' }) as MethodFault;
  }

  #become(vcenter: ManagingVcenter | undefined): void {
    this.#vcenter = vcenter;
    for (const listener of this.#listeners) listener();
  }
}
