// For tests: a whole Service over a store in a temporary file, with a small inventory and a clock that moves when told to.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Logger, silentLogger } from '@vivarium/base';
import { systemRandom } from '@vivarium/base/node';
import { openSqliteStore, type Store } from '@vivarium/store';
import { isFault, type MoRef, make, moRef, schema } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { OptionDefinition } from '../option-manager/option-definition.ts';
import { Service } from '../service.ts';
import type { Personality } from '../service-instance/well-known.ts';
import type { Session } from '../session/session.ts';
import type { StatisticsProvider } from '../statistics/provider.ts';
import { TestClock } from './test-clock.ts';

export const ROOT = moRef('Folder', 'ha-folder-root');
export const DATACENTER = moRef('Datacenter', 'ha-datacenter');
export const VM_FOLDER = moRef('Folder', 'ha-folder-vm');
export const VM = moRef('VirtualMachine', '1');
export const OTHER_VM = moRef('VirtualMachine', '2');

const ABOUT = make('AboutInfo', {
  name: 'VMware ESXi',
  fullName: 'VMware ESXi 8.0.3 build-1 (Vivarium)',
  vendor: 'VMware, Inc.',
  version: '8.0.3',
  build: '1',
  osType: 'vmnix-x86',
  productLineId: 'embeddedEsx',
  apiType: 'HostAgent',
  apiVersion: '8.0.3.0',
});

export interface TestServiceOptions {
  readonly instance?: Personality;
  readonly settings?: readonly OptionDefinition[];
  /** Made over the service's store. */
  readonly statistics?: (store: Store) => StatisticsProvider;
  /** Reopens the store of an earlier test service. */
  readonly directory?: string;
  readonly log?: Logger;
  /** What extensions that log in are members of. */
  readonly extensionGroups?: readonly string[];
}

export interface TestService {
  readonly service: Service;
  readonly clock: TestClock;
  readonly directory: string;
  /** Everything logged as an error. */
  readonly errors: object[];
  login(userName: string): Session;
  call(session?: Session, more?: Partial<Call>): Call;
  /** Through the dispatch. Default caller: an administrator. */
  invoke<R = unknown>(ref: MoRef, method: string, args?: object, call?: Call): Promise<R>;
  stop(): Promise<void>;
}

/** `root` is an administrator; everything is cleaned up after the test. */
export async function testService(context: TestContext, options: TestServiceOptions = {}): Promise<TestService> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'viv-vmomi-'));
  const store = openSqliteStore(join(directory, 'store.db'));
  const clock = new TestClock();
  const errors: object[] = [];
  const log: Logger = { ...silentLogger, error: (data) => void errors.push(data) };
  const instance = options.instance ?? 'HostAgent';
  const settings = options.settings ?? [];
  const service = new Service({
    clock,
    random: systemRandom,
    log,
    store,
    about: ABOUT,
    instance,
    rootFolder: ROOT,
    settings,
    ...(options.extensionGroups ? { extensionGroups: options.extensionGroups } : {}),
    ...(options.statistics ? { statistics: options.statistics(store) } : {}),
  });
  await service.authorization.ensureAdmin('root');
  addInventory(service);
  const stop = async () => {
    await service.close();
    await store.close();
  };
  context.after(async () => {
    await stop();
    if (!options.directory) rmSync(directory, { recursive: true });
  });

  const login = (userName: string) => {
    const principal = service.users.find(userName) ?? { userName, fullName: userName, groups: [] };
    return service.sessions.open(principal, { ipAddress: '127.0.0.1', userAgent: 'test', locale: 'en' });
  };
  let admin: Session | undefined;
  const call = (session: Session = (admin ??= login('root')), more: Partial<Call> = {}): Call => ({
    session,
    version: schema.versions[0] ?? schema.legacyVersion,
    signal: new AbortController().signal,
    service,
    remoteAddress: '127.0.0.1',
    ...more,
  });
  const invoke = async <R>(ref: MoRef, method: string, args: object = {}, by: Call = call()) =>
    (await service.invoke({ this: ref, method, args: { ...args } }, by)) as R;
  return { service, clock, directory, errors, login, call, invoke, stop };
}

function addInventory({ graph }: Service): void {
  graph.add<'Folder'>(ROOT, { name: 'ha-folder-root', childEntity: [DATACENTER] });
  graph.add<'Datacenter'>(DATACENTER, { name: 'ha-datacenter', parent: ROOT, vmFolder: VM_FOLDER });
  graph.add<'Folder'>(VM_FOLDER, { name: 'vm', parent: DATACENTER, childEntity: [VM, OTHER_VM] });
  graph.add<'VirtualMachine'>(
    VM,
    { name: 'vm1', parent: VM_FOLDER },
    { PowerOnVM_Task: () => moRef('Task', 'none'), ShutdownGuest: () => undefined },
  );
  graph.add<'VirtualMachine'>(OTHER_VM, { name: 'vm2', parent: VM_FOLDER });
}

/** For assert.rejects and assert.throws: the fault has this type and these properties. */
export function fault(type: string, properties: object = {}): (error: unknown) => true {
  return (error) => {
    assert.ok(isFault(error, 'MethodFault'), String(error));
    assert.equal(error.fault._typeName, type);
    const data = error.fault as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(properties)) assert.deepEqual(data[name], value, name);
    return true;
  };
}
