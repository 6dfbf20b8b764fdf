// viv env: the variables by which govc, and with the same meaning Packer and Terraform, find the host.
import { findCredentials, findRunning, instances, UserError } from '../state.ts';

export async function env(options: { stateDir: string }): Promise<void> {
  const instance = instances(options.stateDir)[0];
  const running = instance && (await findRunning(instance));
  const credentials = instance && (await findCredentials(instance));
  if (!running || !credentials) throw new UserError('no host is running', 'start one with: ./viv up');
  const variables = {
    GOVC_URL: `https://${running.address}:${running.port}/sdk`,
    GOVC_USERNAME: credentials.userName,
    GOVC_PASSWORD: credentials.password,
    GOVC_INSECURE: 'true',
    GOVC_DATACENTER: 'ha-datacenter',
    GOVC_DATASTORE: 'datastore1',
    GOVC_NETWORK: 'VM Network',
    GOVC_RESOURCE_POOL: '*/Resources',
    VSPHERE_SERVER: `${running.address}:${running.port}`,
    VSPHERE_USER: credentials.userName,
    VSPHERE_PASSWORD: credentials.password,
    VSPHERE_ALLOW_UNVERIFIED_SSL: 'true',
  };
  for (const [name, value] of Object.entries(variables)) {
    process.stdout.write(`export ${name}='${value.replaceAll("'", `'\\''`)}'\n`);
  }
}
