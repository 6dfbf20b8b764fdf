// What the tests of virtual disks share. Not for shipped code.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { testRuntime } from '@vivarium/qemu/testing';
import { MethodFault, type MoRef, moRef } from '@vivarium/vim';
import { type Call, ObjectGraph } from '@vivarium/vmomi';
import { Datastores } from '../datastore/datastores.ts';
import { scratch } from '../datastore/fixtures.ts';
import type { StorageApi, StorageTasks } from '../datastore/storage-api.ts';
import { QemuDiskImages } from './qemu-disk-images.ts';
import { VirtualDisks } from './virtual-disks.ts';

const RUNTIME = testRuntime() ?? '';

/** Why tests with real images cannot run here; false when they can. */
export const noImages = RUNTIME === '' && 'no runtime root: set VIVARIUM_RUNTIME';

/** qemu-img outside any jail, for making what strangers upload. */
export async function qemuImg(...args: string[]): Promise<string> {
  const loader = `${RUNTIME}/usr/lib64/ld-linux-x86-64.so.2`;
  const libraries = `${RUNTIME}/usr/lib/x86_64-linux-gnu:${RUNTIME}/usr/lib`;
  const command = ['--library-path', libraries, `${RUNTIME}/usr/bin/qemu-img`, ...args];
  return (await promisify(execFile)(loader, command)).stdout;
}

/** A host's datastores (one, `datastore1`, in `path`/one unless given) with real images; nothing is remembered. */
export async function makeDisks(root?: string) {
  const place = await scratch();
  const inUse = new Set<string>();
  const datastores = await Datastores.open({
    store: { get: () => undefined, batch: async () => 1 },
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    first: { name: 'datastore1', root: root ?? `${place.path}/one` },
  });
  const images = new QemuDiskImages({ runtime: { path: RUNTIME } });
  const use = { inUse: () => inUse };
  const disks = new VirtualDisks({ datastores, images, use, random: systemRandom, log: silentLogger });
  return {
    path: place.path,
    root: datastores.resolve('[datastore1]'),
    datastores,
    disks,
    /** Absolute paths that a running VM holds. */
    inUse,
    async [Symbol.asyncDispose]() {
      datastores.close();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** A server around `makeDisks`: tasks run at once, whoever calls may do everything but what is in `refused`. */
export async function makeApi() {
  const host = await makeDisks();
  const results: Promise<unknown>[] = [];
  const refused = new Set<string>();
  const controller = new AbortController();
  const tasks: StorageTasks = {
    start(_spec, work) {
      const result = work({ signal: controller.signal, progress: () => undefined });
      result.catch(() => undefined);
      results.push(result);
      return moRef('Task', `task-${results.length}`);
    },
  };
  const graph = new ObjectGraph();
  for (const datastore of host.datastores.list()) graph.add(datastore.ref, { name: datastore.name });
  host.datastores.listen({ added: (datastore) => void graph.add(datastore.ref, { name: datastore.name }) });
  const touched: string[] = [];
  const api: StorageApi = {
    datastores: host.datastores,
    use: { inUse: () => host.inUse },
    tasks,
    graph,
    authorization: {
      check(_session, _object, privilege) {
        if (refused.has(privilege)) throw new MethodFault('NoPermission', { privilegeId: privilege });
      },
      holds: (_session, _object, privilege) => !refused.has(privilege),
    },
    touched: (datastore) => void touched.push(datastore.name),
  };
  return {
    ...host,
    api,
    graph,
    refused,
    touched,
    /** Cancels every task. */
    cancel: () => controller.abort(new MethodFault('RequestCanceled')),
    call: { session: {} } as Call,
    /** Waits for the task that a handler started and returns its result. */
    async done<T>(task: MoRef<'Task'> | undefined | Promise<MoRef<'Task'> | undefined>): Promise<T> {
      const { value = '' } = (await task) ?? {};
      return (await results[Number(value.slice(5)) - 1]) as T;
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}
