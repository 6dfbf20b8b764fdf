// oslo.vmware, by which OpenStack drives vCenters: SOAP by suds, which reads our WSDL; nothing of it is VMware's.
import type { ClientUnderTest } from './client.ts';
import { installPythonClient, pythonOf } from './python-client.ts';

const VERSION = '4.10.1';
const OSLO = {
  name: 'oslo.vmware',
  version: VERSION,
  folder: `oslo-vmware-${VERSION}`,
  requirements: [`oslo.vmware==${VERSION}`],
  imports: 'oslo_vmware.api',
};

export const osloVmwarePython = (): string => pythonOf(OSLO);

export const installOsloVmware = (): Promise<ClientUnderTest> => installPythonClient(OSLO);
