// `viv sim -esx`: a host alone. It is the real hostd, on a machine that is simulated: its VMs run nothing.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startSimulatedHostd } from '@vivarium/host/simulated';
import { MethodFault, type MoRef, moRef, schema, type TaskInfo } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import { ADMINISTRATORS, simUsers } from './any-account.ts';
import type { SimFlags } from './flags.ts';
import { machineFacts } from './make-host.ts';
import type { SimOptions } from './sim.ts';
import { simMachine } from './sim-machine.ts';
import { simUrl } from './sim-url.ts';
import { vmSpec } from './vm-spec.ts';

const NAME = 'localhost.localdomain';
const VM_FOLDER = moRef('Folder', 'ha-folder-vm');
const DATASTORES = moRef('HostDatastoreSystem', 'ha-datastoresystem');
const ROOT_POOL = moRef('ResourcePool', 'ha-root-pool');
const NETWORK = 'VM Network';

export interface SimEsx {
  readonly url: string;
  readonly service: Service;
  close(): Promise<void>;
}

export async function startEsx(flags: SimFlags, options: SimOptions): Promise<SimEsx> {
  const { clock, random, log, version, folder } = options;
  const host = await startSimulatedHostd(
    {
      stateDir: join(folder, 'host'),
      name: NAME,
      listen: flags.listen,
      datastore: 'LocalDS_0',
      hardware: { ...simMachine(NAME, 0), facts: machineFacts(random) },
    },
    { clock, random, log, version, users: simUsers(flags) },
  );
  await using undo = new AsyncDisposableStack();
  undo.defer(() => host.close());
  const { service } = host;
  await service.authorization.grantAdmin(ADMINISTRATORS, true);
  const { invoke, run, end } = asAdministrator(service);
  for (let number = 1; number < flags.datastores; number++) {
    const path = join(folder, `LocalDS_${number}`);
    await mkdir(path);
    await invoke(DATASTORES as MoRef, 'CreateLocalDatastore', { name: `LocalDS_${number}`, path });
  }
  for (let number = 0; number < flags.vmsPerPool; number++) {
    const config = vmSpec(random, { name: `ha-host_VM${number}`, datastore: 'LocalDS_0', network: NETWORK });
    const vm = await run<MoRef>(VM_FOLDER as MoRef, 'CreateVM_Task', { config, pool: ROOT_POOL });
    if (flags.isAutostart) await run(vm, 'PowerOnVM_Task', {});
    options.progress(`ha-host_VM${number}`);
  }
  end();
  undo.move();
  return { url: simUrl(flags, host.port), service, close: () => host.close() };
}

interface Administrator {
  end(): void;
  invoke(ref: MoRef, method: string, args: object): Promise<unknown>;
  /** A task to its end; rejects with the fault that it ends with. */
  run<R = unknown>(ref: MoRef, method: string, args: object): Promise<R>;
}

function asAdministrator(service: Service): Administrator {
  const origin = { ipAddress: '127.0.0.1', userAgent: 'viv sim', locale: 'en' };
  const session = service.sessions.open({ userName: 'root', fullName: 'root', groups: [ADMINISTRATORS] }, origin);
  const call: Call = {
    session,
    version: schema.versions[0] ?? schema.legacyVersion,
    signal: new AbortController().signal,
    service,
    remoteAddress: origin.ipAddress,
    localAddress: origin.ipAddress,
  };
  const invoke = (ref: MoRef, method: string, args: object) =>
    service.invoke({ this: ref, method, args: { ...args } }, call);
  return {
    end: () => service.sessions.terminate(session),
    invoke,
    async run<R>(ref: MoRef, method: string, args: object) {
      const info = await ended(service, (await invoke(ref, method, args)) as MoRef<'Task'>);
      if (info.error) throw MethodFault.from(info.error.fault as { _typeName?: string }, info.error.localizedMessage);
      return info.result as R;
    },
  };
}

function ended(service: Service, task: MoRef<'Task'>): Promise<TaskInfo> {
  const object = service.graph.get(task);
  return new Promise((resolve) => {
    const look = () => {
      const info = object.get('info');
      if (!info || (info.state !== 'success' && info.state !== 'error')) return false;
      resolve(info);
      return true;
    };
    if (look()) return;
    const stop = service.graph.subscribe(task, () => {
      if (look()) stop();
    });
  });
}
