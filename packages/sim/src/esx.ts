// `viv sim -esx`: a host alone. It is the real hostd, on a machine that is simulated: its VMs run nothing.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startSimulatedHostd } from '@vivarium/host/simulated';
import { type MoRef, moRef } from '@vivarium/vim';
import { localUser, type Service } from '@vivarium/vmomi';
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
  const root = { userName: 'root', fullName: 'root', groups: [ADMINISTRATORS] };
  const { invoke, run, end } = localUser(service, root, 'viv sim');
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
