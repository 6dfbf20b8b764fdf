// VMware's own SDK of the Automation API for Python.
import type { ClientUnderTest } from './client.ts';
import { installPythonClient, pythonOf } from './python-client.ts';

const VERSION = '9.1.1.0';
const SDK = {
  name: 'vSphere Automation SDK for Python',
  version: VERSION,
  folder: `automation-sdk-${VERSION}`,
  requirements: [`vmware-vcenter==${VERSION}`],
  imports: 'com.vmware.cis_client',
};

export const automationSdkPython = (): string => pythonOf(SDK);

export const installAutomationSdk = (): Promise<ClientUnderTest> => installPythonClient(SDK);
