// etcd, from Debian's package: unpacked into the cache, nothing is installed into the machine.
import { join } from 'node:path';
import { ensureBuilt, extractPackages, findDebianMirror, openPackageArchive } from '@vivarium/qemu';
import type { ClientUnderTest } from '../clients/client.ts';
import { labCache } from '../testing/lab-cache.ts';
import { run } from '../testing/run.ts';

/** The program, where it is unpacked. */
export const etcdProgram = (): string => join(labCache(), 'clients', 'etcd', 'usr', 'bin', 'etcd');

/** Its version; undefined when it is not there or does not run. */
export async function etcdVersion(): Promise<string | undefined> {
  const said = await run(etcdProgram(), ['--version']).catch(() => undefined);
  return said?.code === 0 ? /etcd Version: (\S+)/.exec(said.stdout)?.[1] : undefined;
}

export async function installEtcd(): Promise<ClientUnderTest> {
  const name = 'etcd';
  try {
    const version = await ensureBuilt({
      folder: join(labCache(), 'clients'),
      subject: name,
      find: etcdVersion,
      build: async (work, tree) => {
        await using archive = await openPackageArchive({ folder: work, mirror: await findDebianMirror() });
        await extractPackages(await archive.fetchOnly(['etcd-server']), tree, { only: ['./usr/bin/etcd'] });
        return name;
      },
    });
    return { name, state: 'installed', detail: version };
  } catch (error) {
    return { name, state: 'not run', detail: error instanceof Error ? error.message : String(error) };
  }
}
