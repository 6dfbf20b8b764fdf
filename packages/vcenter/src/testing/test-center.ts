// For tests: a whole vpxd over a store in a temporary file, with hosts that the test controls.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { openSqliteStore, type Store } from '@vivarium/store';
import { isFault, type MoRef, moRef } from '@vivarium/vim';
import { type Call, localUser, type UserDirectory } from '@vivarium/vmomi';
import { ROOT_FOLDER } from '../folder/create-entity.ts';
import { openVpxd, type Vpxd } from '../vpxd.ts';
import type { FakeHost } from './fake-host.ts';
import { FakeDialer } from './fake-link.ts';

export interface TestCenter extends Vpxd {
  readonly dialer: FakeDialer;
  /** A call of an administrator's. */
  readonly administrator: Call;
  /** Through the dispatch, by an administrator. */
  invoke<R = unknown>(ref: MoRef, method: string, args?: object): Promise<R>;
  /** As invoke, for methods that return a task: resolves with its result, rejects with its fault. */
  task<R = unknown>(ref: MoRef, method: string, args?: object): Promise<R>;
  read<R = unknown>(ref: MoRef, path: string): R;
  /** A datacenter with a cluster in it. */
  cluster(): Promise<{ datacenter: MoRef<'Datacenter'>; cluster: MoRef<'ClusterComputeResource'> }>;
  addHost(cluster: MoRef, host: FakeHost): Promise<MoRef<'HostSystem'>>;
  /** Resolves when the property has the value. */
  until(ref: MoRef, path: string, value: unknown): Promise<void>;
  /** Resolves when the condition holds; looks at every change of the graph. */
  eventually(condition: () => boolean): Promise<void>;
  /** Ends this one without a word and starts another over the same store and hosts. */
  restart(): Promise<TestCenter>;
  /** As if its process had been killed now: another starts over the store's files as they are at this moment. */
  killed(): Promise<TestCenter>;
}

export async function testCenter(
  context: TestContext,
  from: {
    readonly directory?: string;
    readonly dialer?: FakeDialer;
    /** Who may log in; default: the service's own accounts. */
    readonly users?: (store: Store) => UserDirectory;
  } = {},
): Promise<TestCenter> {
  const directory = from.directory ?? mkdtempSync(join(tmpdir(), 'viv-vpxd-'));
  const dialer = from.dialer ?? new FakeDialer();
  const { users } = from;
  const again = { dialer, ...(users ? { users } : {}) };
  const store = openSqliteStore(join(directory, 'vpxd.db'));
  const vpxd = await openVpxd({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    version: '0',
    store,
    dialer,
    ...(users ? { users: users(store) } : {}),
  });
  const { service } = vpxd;
  await service.authorization.ensureAdmin('root');
  vpxd.start();
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    await vpxd.close();
    await store.close();
  };
  context.after(async () => {
    await close();
    if (!from.directory) rmSync(directory, { recursive: true });
  });
  const root = { userName: 'root', fullName: 'root', groups: [] };
  const { call, invoke, run: task } = localUser(service, root, 'test');
  const eventually = async (condition: () => boolean) => {
    while (!condition()) {
      if (!isOpen) throw new Error('this vCenter is closed');
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return {
    ...vpxd,
    dialer,
    administrator: call,
    eventually,
    until: (ref, path, value) => eventually(() => service.graph.find(ref)?.getPath(path) === value),
    invoke,
    task,
    read: <R>(ref: MoRef, path: string) => service.graph.get(ref).getPath(path) as R,
    async cluster() {
      const datacenter = await invoke<MoRef<'Datacenter'>>(ROOT_FOLDER as MoRef, 'CreateDatacenter', { name: 'DC0' });
      const hostFolder = service.graph.get(datacenter).get('hostFolder') as MoRef;
      const spec = { _typeName: 'ClusterConfigSpecEx' };
      const cluster = await invoke<MoRef<'ClusterComputeResource'>>(hostFolder, 'CreateClusterEx', {
        name: 'C0',
        spec,
      });
      return { datacenter, cluster };
    },
    async addHost(cluster, host) {
      dialer.add(host);
      const spec = { hostName: host.address, userName: 'root', password: 'right', force: false };
      const added = await task<MoRef>(cluster, 'AddHost_Task', { spec, asConnected: true });
      return moRef('HostSystem', added.value);
    },
    async killed() {
      const copy = mkdtempSync(join(tmpdir(), 'viv-vpxd-'));
      for (const file of readdirSync(directory)) {
        if (!file.endsWith('-shm')) copyFileSync(join(directory, file), join(copy, file));
      }
      context.after(() => rmSync(copy, { recursive: true, force: true }));
      await close();
      return testCenter(context, { ...again, directory: copy });
    },
    async restart() {
      await close();
      return testCenter(context, { ...again, directory });
    },
  };
}

/** For assert.rejects: the fault has this type. */
export function fault(type: string): (error: unknown) => true {
  return (error) => {
    assert.ok(isFault(error, 'MethodFault'), String(error));
    assert.equal(error.fault._typeName, type);
    return true;
  };
}
