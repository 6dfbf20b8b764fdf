// Where the state of a state directory's vCenter is, and what goes wrong with it, said to people.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  BackupDamaged,
  BackupTooNew,
  LockHeld,
  parseStoreUrl,
  SchemaTooNew,
  StoreFull,
  StoreLocked,
  StoreUnavailable,
} from '@vivarium/store';
import { storeUrl } from '@vivarium/vcenter/state';
import { type Layout, readLayout } from './layout.ts';
import { findRunning, type Instance, UserError } from './state.ts';

export interface CenterState {
  readonly layout: Layout | undefined;
  readonly instance: Instance;
  readonly url: string;
  /** Whether several can have it open. */
  readonly isShared: boolean;
  readonly isRunning: boolean;
}

/** `store`: another than the one that is kept. Throws UserError where a host alone is kept. */
export async function findCenterState(stateDir: string, store: string | undefined): Promise<CenterState> {
  const layout = await readLayout(stateDir);
  if (layout && !layout.vcenter) {
    throw new UserError('a host alone is kept here, and no vCenter', 'name another --state-dir');
  }
  const instance: Instance = { name: 'vcenter', kind: 'vpxd', stateDir: join(resolve(stateDir), 'vcenter') };
  const kept = store ?? layout?.vcenter?.store;
  const listen = { address: '127.0.0.1', port: 0 };
  const url = storeUrl({ stateDir: instance.stateDir, listen, ...(kept === undefined ? {} : { store: kept }) });
  return {
    layout,
    instance,
    url,
    isShared: parseStoreUrl(url).engine === 'etcd',
    isRunning: (await findRunning(instance)) !== undefined,
  };
}

/** An SQLite file that is not there would be made by opening it. */
export function requireStore(url: string): void {
  const address = parseStoreUrl(url);
  if (address.engine !== 'sqlite' || existsSync(address.path)) return;
  throw new UserError(`there is no state of a vCenter at ${address.path}`, 'begin with: ./viv up');
}

/** What people can do something about becomes a UserError. */
export async function toldToPeople<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const mend = mendOf(error);
    if (mend === undefined || !(error instanceof Error)) throw error;
    throw new UserError(error.message, mend, { cause: error });
  }
}

function mendOf(error: unknown): string | undefined {
  if (error instanceof LockHeld || error instanceof StoreLocked) {
    return 'a vCenter runs with this state: stop it where it runs (./viv down), and all that stand by';
  }
  if (error instanceof BackupDamaged) return 'nothing was changed; take another file';
  if (error instanceof SchemaTooNew || error instanceof BackupTooNew)
    return 'nothing was changed; take the newer Vivarium, or an older backup';
  if (error instanceof StoreFull)
    return 'nothing was changed; make room on the disk, or in etcd (--quota-backend-bytes)';
  if (isUnreadable(error)) return 'nothing was changed; give a file that you may read';
  if (error instanceof StoreUnavailable)
    return 'nothing was changed; see that most members of etcd run and are reached from here';
  return undefined;
}

/** The file of a backup: a folder, one of another user's, one on a broken disk. */
function isUnreadable(error: unknown): boolean {
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === 'open' || syscall === 'read';
}
