// HostStorageSystem: the machine's disks and the host's volumes, for information; and the same below the host's `config`.
import { type Handlers, type HostFileSystemVolumeInfo, MethodFault, moRef } from '@vivarium/vim';
import type { Call, ObjectGraph, Service, Unsubscribe } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import type { BlockDevice } from '../machine/block-devices.ts';
import { fileSystemVolumes } from './file-system-volumes.ts';
import { storageDeviceInfo } from './storage-device-info.ts';

export interface StorageSystemOptions {
  readonly service: Pick<Service, 'graph'>;
  readonly readDevices: () => readonly BlockDevice[];
}

export const STORAGE_SYSTEM = moRef('HostStorageSystem', 'ha-storagesystem');

/** The host and its datastores have to be in the graph already. */
export function addStorageSystem({ service, readDevices }: StorageSystemOptions): { stop(): void } {
  const { graph } = service;
  const rescan = () => {
    const info = storageDeviceInfo(readDevices());
    system.set('storageDeviceInfo', info);
    graph.get(refs.host).set('config.storageDevice', info);
  };
  const handlers: Handlers<'HostStorageSystem', Call> = {
    RescanAllHba: rescan,
    RefreshStorageSystem: rescan,
    RescanVmfs: () => showVolumes(),
    RescanHba({ hbaDevice }) {
      const adapters = system.get('storageDeviceInfo')?.hostBusAdapter ?? [];
      if (!adapters.some(({ device }) => device === hbaDevice)) throw new MethodFault('NotFound');
      rescan();
    },
  };
  const system = graph.add(STORAGE_SYSTEM, { systemFile: [] }, handlers, { entity: refs.host });
  const showVolumes = () => {
    const info = volumeInfo(graph);
    system.set('fileSystemVolumeInfo', info);
    graph.get(refs.host).set('config.fileSystemVolume', info);
  };
  rescan();
  showVolumes();
  return { stop: followDatastores(graph, showVolumes) };
}

function volumeInfo(graph: ObjectGraph): HostFileSystemVolumeInfo {
  const datastores = (graph.get(refs.host).get('datastore') ?? []).flatMap((ref) => graph.find(ref) ?? []);
  return fileSystemVolumes(
    datastores.map((datastore) => ({ info: datastore.get('info'), mount: datastore.get('host')?.[0]?.mountInfo })),
  );
}

/** Hears, once a turn, that datastores have come, gone or changed. Returns the way to stop. */
function followDatastores(graph: ObjectGraph, changed: () => void): () => void {
  let following: Unsubscribe[] = [];
  let isNoted = false;
  let isStopped = false;
  const note = () => {
    if (isNoted) return;
    isNoted = true;
    queueMicrotask(() => {
      isNoted = false;
      if (isStopped) return;
      follow();
      changed();
    });
  };
  const follow = () => {
    for (const stop of following) stop();
    const datastores = graph.get(refs.host).get('datastore') ?? [];
    following = datastores.map((ref) =>
      graph.subscribe(ref, (change) => {
        if (change.kind === 'modified' && change.paths.some((path) => /^(?:info|host)\b/.test(path))) note();
      }),
    );
  };
  const stopHost = graph.subscribe(refs.host, (change) => {
    if (change.kind === 'modified' && change.paths.includes('datastore')) note();
  });
  follow();
  return () => {
    isStopped = true;
    stopHost();
    for (const stop of following) stop();
  };
}
