// pyvmomi, each version in a virtual environment of its own, with suds, which reads the WSDL.
import type { ClientUnderTest } from './client.ts';
import { installPythonClient, pythonOf } from './python-client.ts';

/** The newest, and one of the generation that Debian 12's Ansible has. */
export const PYVMOMI_VERSIONS = ['9.0.0.0', '6.7.3'] as const;
export type PyvmomiVersion = (typeof PYVMOMI_VERSIONS)[number];

const folderOf = (version: PyvmomiVersion) => `pyvmomi-${version}`;

/** The Python interpreter that imports this version. */
export function pyvmomiPython(version: PyvmomiVersion): string {
  return pythonOf({ folder: folderOf(version) });
}

export function installPyvmomi(version: PyvmomiVersion): Promise<ClientUnderTest> {
  return installPythonClient({
    name: `pyvmomi ${version}`,
    version,
    folder: folderOf(version),
    requirements: [`pyvmomi==${version}`, 'six', 'requests', 'suds==1.2.0'],
    imports: 'pyVim.connect, suds',
  });
}
