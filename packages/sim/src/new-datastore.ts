// Datastores that are made on a simulated host: a folder of its own, or a share that all hosts see alike.
import { createHash } from 'node:crypto';
import { type Random, uuid } from '@vivarium/base';
import { type HostNasVolumeSpec, MethodFault } from '@vivarium/vim';
import type { SimDatastore } from './sim-datastore.ts';
import { SimFiles } from './sim-files.ts';

interface NewDatastoreOptions {
  readonly random: Random;
  readonly capacityBytes: number;
  readonly sharedFiles: (name: string, url: string) => SimFiles;
}

/** By a method of HostDatastoreSystem; undefined when it makes none. Fault: InvalidName. */
export function newDatastore(
  method: string,
  args: Readonly<Record<string, unknown>>,
  { random, capacityBytes, sharedFiles }: NewDatastoreOptions,
): SimDatastore | undefined {
  if (method === 'CreateLocalDatastore') {
    const name = checked(String(args['name']));
    return { name, url: `ds:///vmfs/volumes/${uuid(random)}/`, capacityBytes, files: new SimFiles(name) };
  }
  if (method !== 'CreateNasDatastore') return undefined;
  const { remoteHost, remotePath, localPath } = args['spec'] as HostNasVolumeSpec;
  const name = checked(localPath);
  const id = createHash('sha256').update(`${remoteHost}:${remotePath}`).digest('hex').slice(0, 32);
  const url = `ds:///vmfs/volumes/${id}/`;
  return { name, url, capacityBytes, files: sharedFiles(name, url), remote: { host: remoteHost, path: remotePath } };
}

function checked(name: string): string {
  if (name.trim() === '' || name.length > 42 || /[[\]/\\]/.test(name)) throw new MethodFault('InvalidName', { name });
  return name;
}
