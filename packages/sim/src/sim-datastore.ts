// A simulated datastore as its host shows it, by the functions of real hosts.
import { datastoreCapability, datastoreMount, datastoreStatus } from '@vivarium/host/view';
import { type MoRef, make, moRef } from '@vivarium/vim';
import type { SimFiles } from './sim-files.ts';

export interface SimDatastore {
  readonly name: string;
  /** The same URL on several hosts is one datastore. */
  readonly url: string;
  readonly capacityBytes: number;
  readonly files: SimFiles;
  /** Of a datastore that comes over the network. */
  readonly remote?: { readonly host: string; readonly path: string };
}

export function datastoreRef({ name }: Pick<SimDatastore, 'name'>): MoRef<'Datastore'> {
  return moRef('Datastore', name);
}

/** Datastore's properties. `now`: dateTime. */
export function datastoreProperties(datastore: SimDatastore, host: MoRef<'HostSystem'>, now: string) {
  const { name, url, capacityBytes, files, remote } = datastore;
  const ref = datastoreRef(datastore);
  const uuid = volumeUuid(url);
  const space = { capacityBytes, freeBytes: Math.max(0, capacityBytes - files.usedBytes) };
  const status = datastoreStatus({ name, ref, uuid, url, space, timestamp: now });
  return {
    ...status,
    ...(remote ? nas(status, remote) : {}),
    overallStatus: 'green' as const,
    configStatus: 'green' as const,
    capability: datastoreCapability,
    host: [datastoreMount(host, uuid)],
    browser: moRef('HostDatastoreBrowser', `ha-datastorebrowser-${name}`),
  };
}

type Status = ReturnType<typeof datastoreStatus>;

function nas(
  { summary, info: { name, url, freeSpace, maxFileSize, maxMemoryFileSize, timestamp } }: Status,
  { host, path }: NonNullable<SimDatastore['remote']>,
): Partial<Status> {
  const nasVolume = make('HostNasVolume', {
    type: 'NFS',
    name,
    capacity: summary.capacity,
    remoteHost: host,
    remotePath: path,
  });
  return {
    summary: { ...summary, type: 'NFS' },
    info: make('NasDatastoreInfo', { name, url, freeSpace, maxFileSize, maxMemoryFileSize, timestamp, nas: nasVolume }),
  };
}

function volumeUuid(url: string): string {
  return url.replace(/\/$/, '').replace(/^.*\//, '');
}
