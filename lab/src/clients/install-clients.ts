// Installs the clients under test, each in its own place in the cache.
import { installEtcd } from '../store/install-etcd.ts';
import { installAnsible } from './ansible.ts';
import { installAutomationSdk } from './automation-sdk.ts';
import type { ClientUnderTest } from './client.ts';
import { installGovc } from './govc.ts';
import { installOsloVmware } from './oslo-vmware.ts';
import { installPyvmomi, PYVMOMI_VERSIONS } from './pyvmomi.ts';
import { installVirsh } from './virsh.ts';

export async function installClients(progress: (text: string) => void): Promise<readonly ClientUnderTest[]> {
  progress('installing govc');
  const clients = [await installGovc()];
  for (const version of PYVMOMI_VERSIONS) {
    progress(`installing pyvmomi ${version}`);
    clients.push(await installPyvmomi(version));
  }
  progress('installing virsh');
  clients.push(await installVirsh());
  progress('fetching etcd');
  clients.push(await installEtcd());
  progress('installing the Automation SDK');
  clients.push(await installAutomationSdk());
  progress('installing Ansible');
  clients.push(await installAnsible());
  progress('installing oslo.vmware');
  clients.push(await installOsloVmware());
  return clients;
}
