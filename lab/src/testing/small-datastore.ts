// A datastore that is soon full: a tmpfs of limited size. Root's.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VimClient } from '@vivarium/client';
import { type MoRef, moRef } from '@vivarium/vim';
import { runOk } from './run.ts';

export interface SmallDatastore extends AsyncDisposable {
  readonly root: string;
  resize(sizeMB: number): Promise<void>;
  /** Makes it a datastore of the host. */
  offer(client: VimClient, name: string): Promise<MoRef<'Datastore'>>;
}

/** Mounted until it is disposed of. */
export async function mountSmallDatastore(sizeMB: number): Promise<SmallDatastore> {
  const root = await mkdtemp(join(tmpdir(), 'vivsmall-'));
  await runOk('mount', ['-t', 'tmpfs', '-o', `size=${sizeMB}M,mode=755`, 'vivarium-lab', root]);
  return {
    root,
    resize: async (newSizeMB) => void (await runOk('mount', ['-o', `remount,size=${newSizeMB}M`, root])),
    async offer(client, name) {
      const system = moRef('HostDatastoreSystem', 'ha-datastoresystem');
      return moRef('Datastore', (await client.call(system, 'CreateLocalDatastore', { name, path: root })).value);
    },
    async [Symbol.asyncDispose]() {
      // Lazily: a jailed VMM that is just ending may still see it.
      await runOk('umount', ['--lazy', root]);
      await rm(root, { recursive: true, force: true });
    },
  };
}
