// viv env: the variables by which govc, and with the same meaning Packer and Terraform, find vCenter or the host.
import { CLUSTER, DATACENTER } from '../demo-cluster.ts';
import { frontInstance } from '../layout.ts';
import { findCredentials, findRunning, UserError } from '../state.ts';

export async function env(options: { stateDir: string }): Promise<void> {
  const instance = await frontInstance(options.stateDir);
  const running = await findRunning(instance);
  const credentials = await findCredentials(instance);
  if (!running || !credentials) throw new UserError(`${instance.name} is not running`, 'start it with: ./viv up');
  const isCenter = instance.kind === 'vpxd';
  const variables = {
    GOVC_URL: `https://${running.address}:${running.port}/sdk`,
    GOVC_USERNAME: credentials.userName,
    GOVC_PASSWORD: credentials.password,
    GOVC_INSECURE: 'true',
    GOVC_DATACENTER: isCenter ? DATACENTER : 'ha-datacenter',
    GOVC_DATASTORE: 'datastore1',
    GOVC_NETWORK: 'VM Network',
    GOVC_RESOURCE_POOL: isCenter ? `/${DATACENTER}/host/${CLUSTER}/Resources` : '*/Resources',
    VSPHERE_SERVER: `${running.address}:${running.port}`,
    VSPHERE_USER: credentials.userName,
    VSPHERE_PASSWORD: credentials.password,
    VSPHERE_ALLOW_UNVERIFIED_SSL: 'true',
  };
  for (const [name, value] of Object.entries(variables)) {
    process.stdout.write(`export ${name}='${value.replaceAll("'", `'\\''`)}'\n`);
  }
}
