// Notes of what is being made or removed, kept in the store before the first file is touched: what a killed hostd left half
// done is finished or undone at the next start, before anybody can ask.
import { rm, rmdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { token } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import { isFault, MethodFault } from '@vivarium/vim';
import { readVmx, sweepVmx } from './vm-files.ts';
import type { ChangeJournal, VmHost } from './vm-host.ts';
import { diskPaths } from './vm-paths.ts';

const PREFIX = 'vm-intent/';

export interface Intent {
  /**
   * `make`: undone when the store does not list a VM with that VMX, or the VMX does not name the disks.
   * `remove`: finished.
   */
  readonly kind: 'make' | 'remove';
  /** Datastore path. */
  readonly vmx: string;
  /** Datastore paths; those that end in `.vmdk` are disks. A `make` names only what was not there before. */
  readonly files: readonly string[];
  /** Goes too when it is then empty. */
  readonly folder?: string;
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
    const intent: Intent = { kind: 'make', vmx: change.vmx, files: change.files };
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

  /** After a crash: settles everything that was under way. `isListed`: whether a VM with that VMX is registered. */
  async settleAll(isListed: (vmx: string) => boolean): Promise<void> {
    for (const { key, value } of this.#store.range<Intent>(PREFIX)) await this.settle(key, value, isListed(value.vmx));
  }

  /** Never throws: what cannot be done now is tried again at the next start. */
  async settle(key: string, intent: Intent, isListed: boolean): Promise<void> {
    try {
      if (intent.kind === 'make' && isListed) await this.#settleChange(intent);
      else await this.#removeAll(intent);
      await this.#store.batch([{ delete: key }]);
    } catch (error) {
      const message = 'what was being made or removed could not be settled; it is tried again at the next start';
      this.#host.log.error({ intent, err: error }, message);
    }
  }

  // Disks that the VMX names belong to the VM. Which ones it names must be known: without it nothing is removed.
  async #settleChange({ vmx, files }: Intent): Promise<void> {
    const kept = new Set(diskPaths(await readVmx(this.#host, this.#host.paths.resolve(vmx))));
    for (const file of files) if (!kept.has(file)) await this.#remove(file);
  }

  async #removeAll({ vmx, files, folder }: Intent): Promise<void> {
    const { paths } = this.#host;
    const vmxFile = paths.resolve(vmx);
    const failures: unknown[] = [];
    for (const file of [...files, vmx]) {
      await this.#remove(file).catch((error: unknown) => failures.push(error));
    }
    await sweepVmx(vmxFile);
    if (folder !== undefined) await removeIfEmpty(paths.resolve(folder));
    if (failures.length > 0) throw new AggregateError(failures, `${basename(dirname(vmxFile))}: files remain`);
  }

  async #remove(file: string): Promise<void> {
    const { paths, disks, log } = this.#host;
    if (!file.endsWith('.vmdk')) return rm(paths.resolve(file), { force: true });
    try {
      await disks.remove(file);
    } catch (error) {
      // Marked as not to be deleted, by its owner: that will not change.
      if (!isFault(error, 'CannotDeleteFile')) throw error;
      log.warn({ disk: file, err: error }, 'a disk of a removed VM stays');
    }
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}
