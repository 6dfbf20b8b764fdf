// Notes of what is being made or removed, kept in the store before the first file is touched: what a killed hostd left half
// done is finished or undone at the next start, before anybody can ask.
import { rm } from 'node:fs/promises';
import { token } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import { isFault, MethodFault } from '@vivarium/vim';
import { removeDisk, removeIfEmpty } from './own-disks.ts';
import { sweepVmx } from './vm-files.ts';
import type { ChangeJournal, VmHost } from './vm-host.ts';

const PREFIX = 'vm-intent/';

export interface Intent {
  /**
   * `make`: a VM that is not listed yet. Undone.
   * `change`: of a listed VM. Disks that its VMX names stay, the others go: so it is undone or finished.
   * `remove`: of a VM that is not listed any more. Finished.
   */
  readonly kind: 'make' | 'change' | 'remove';
  /** Datastore path. */
  readonly vmx: string;
  /**
   * Datastore paths; those that end in `.vmdk` are disks. What is made is named only when it was not there before. Disks that
   * a listed VM names are never removed.
   */
  readonly files: readonly string[];
  /** Goes too when it is then empty. */
  readonly folder?: string;
}

/** What the listed VMs hold. */
export interface ListedDisks {
  /** Datastore paths of the disks that they name. */
  readonly disks: ReadonlySet<string>;
  /** VMX files that cannot be read. */
  readonly unreadable: ReadonlySet<string>;
}

export class Intents implements ChangeJournal {
  readonly #host: VmHost;
  readonly #store: Store;
  /** What the intents under way make: nobody else may make these. */
  readonly #claimed = new Set<string>();
  /** Keys and intents of reconfigurations under way, by VM. */
  readonly #changes = new Map<string, { readonly key: string; readonly intent: Intent }>();

  constructor(host: VmHost, store: Store) {
    this.#host = host;
    this.#store = store;
  }

  /** A key that no intent has, also none that an earlier start could not settle. */
  newKey(vm: string): string {
    return `${PREFIX}${vm}-${token(this.#host.random, 8)}`;
  }

  /** Whether somebody makes the file or folder at this datastore path now. */
  isClaimed(path: string): boolean {
    return this.#claimed.has(path);
  }

  /** Nobody else may make `paths` until they are released. Throws FileAlreadyExists when somebody does already. */
  claim(paths: readonly string[]): Disposable {
    const taken = paths.find((path) => this.#claimed.has(path));
    if (taken !== undefined) throw new MethodFault('FileAlreadyExists', { file: taken });
    for (const path of paths) this.#claimed.add(path);
    return {
      [Symbol.dispose]: () => {
        for (const path of paths) this.#claimed.delete(path);
      },
    };
  }

  async begin(vm: string, change: { readonly files: readonly string[]; readonly vmx: string }): Promise<void> {
    const claim = this.claim(change.files);
    const key = this.newKey(vm);
    const intent: Intent = { kind: 'change', vmx: change.vmx, files: change.files };
    try {
      await this.#store.batch([{ put: key, value: intent }]);
    } catch (error) {
      claim[Symbol.dispose]();
      throw error;
    }
    this.#changes.set(vm, { key, intent });
  }

  async end(vm: string): Promise<void> {
    const change = this.#changes.get(vm);
    if (!change) return;
    this.#changes.delete(vm);
    for (const path of change.intent.files) this.#claimed.delete(path);
    await this.#store.batch([{ delete: change.key }]);
  }

  /** After a crash: settles everything that was under way. */
  async settleAll(inventory: ListedDisks): Promise<void> {
    for (const { key, value } of this.#store.range<Intent>(PREFIX)) {
      // A VM that cannot be read does not say which disks are its own.
      if (value.kind === 'change' && inventory.unreadable.has(value.vmx)) continue;
      await this.settle(key, value, inventory.disks);
    }
  }

  /** `kept`: disks that stay whatever happens. Never throws: what cannot be done now is tried again at the next start. */
  async settle(key: string, intent: Intent, kept: ReadonlySet<string>): Promise<void> {
    try {
      const files = intent.files.filter((file) => !kept.has(file));
      if (intent.kind === 'change') await this.#removeFiles(intent.vmx, files);
      else await this.#removeVm({ ...intent, files });
      await this.#store.batch([{ delete: key }]);
    } catch (error) {
      const message = 'what was being made or removed could not be settled; it is tried again at the next start';
      this.#host.log.error({ intent, err: error }, message);
    }
  }

  async #removeVm({ vmx, files, folder }: Intent): Promise<void> {
    const { paths } = this.#host;
    await this.#removeFiles(vmx, [...files, vmx]);
    await sweepVmx(paths.resolve(vmx));
    if (folder !== undefined) await removeIfEmpty(paths.resolve(folder));
  }

  async #removeFiles(vmx: string, files: readonly string[]): Promise<void> {
    const failures: unknown[] = [];
    for (const file of files) await this.#remove(vmx, file).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} files remain`);
  }

  async #remove(vmx: string, file: string): Promise<void> {
    const { paths, log } = this.#host;
    if (!file.endsWith('.vmdk')) return rm(paths.resolve(file), { force: true });
    try {
      await removeDisk(this.#host, paths.resolve(vmx), file);
    } catch (error) {
      // Marked as not to be deleted, by its owner: that will not change.
      if (!isFault(error, 'CannotDeleteFile')) throw error;
      log.warn({ disk: file, err: error }, 'a disk of a removed VM stays');
    }
  }
}
