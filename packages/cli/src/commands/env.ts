// viv env: the variables by which govc, and with the same meaning Packer and Terraform, find vCenter or the host.
import { CLUSTER, DATACENTER } from '../demo-cluster.ts';
import { frontInstance, readLayout } from '../layout.ts';
import { requireCredentials } from '../session.ts';
import { findRunning, UserError } from '../state.ts';

export async function env(options: { stateDir: string }): Promise<void> {
  const instance = await frontInstance(options.stateDir);
  const running = await findRunning(instance);
  if (!running) throw new UserError(`${instance.name} is not running`, 'start it with: ./viv up');
  const credentials = await requireCredentials(instance, running);
  const isCenter = instance.kind === 'vpxd';
  const isEmpty = (await readLayout(options.stateDir))?.hosts.length === 0;
  const variables = {
    GOVC_URL: `https://${running.address}:${running.port}/sdk`,
    GOVC_USERNAME: credentials.userName,
    GOVC_PASSWORD: credentials.password,
    GOVC_INSECURE: 'true',
    ...(isEmpty ? {} : inventory(isCenter)),
    VSPHERE_SERVER: `${running.address}:${running.port}`,
    VSPHERE_USER: credentials.userName,
    VSPHERE_PASSWORD: credentials.password,
    VSPHERE_ALLOW_UNVERIFIED_SSL: 'true',
  };
  for (const [name, value] of Object.entries(variables)) {
    process.stdout.write(`export ${name}='${value.replaceAll("'", `'\\''`)}'\n`);
  }
}

/** Names of what `viv up` makes. */
function inventory(isCenter: boolean) {
  return {
    GOVC_DATACENTER: isCenter ? DATACENTER : 'ha-datacenter',
    GOVC_DATASTORE: 'datastore1',
    GOVC_NETWORK: 'VM Network',
    GOVC_RESOURCE_POOL: isCenter ? `/${DATACENTER}/host/${CLUSTER}/Resources` : '*/Resources',
  };
}
