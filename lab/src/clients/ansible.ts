// Ansible with the collection that is used most for vSphere, community.vmware: modules over pyvmomi and the Automation SDK.
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { labCache } from '../testing/lab-cache.ts';
import { run, runOk } from '../testing/run.ts';
import type { ClientUnderTest } from './client.ts';
import { installPythonClient, pythonOf } from './python-client.ts';

const CORE = '2.19.14';
/** The package that brings the collections; only those for vSphere are unpacked. */
const COLLECTIONS = '12.3.0';
const COLLECTIONS_FOLDER = join(labCache(), 'clients', `ansible-collections-${COLLECTIONS}`);
const ANSIBLE = {
  name: 'Ansible',
  version: CORE,
  folder: `ansible-${CORE}`,
  requirements: [`ansible-core==${CORE}`, 'pyvmomi==9.0.0.0', 'requests', 'vmware-vcenter==9.1.1.0'],
  imports: 'ansible, pyVmomi, com.vmware.cis_client',
};

/** Runs a playbook at a vCenter on this machine; throws with what it printed when a task fails. `home`: a folder that goes after the tests. */
export async function play(file: string, facts: Readonly<Record<string, unknown>>, home: string): Promise<void> {
  const python = pythonOf(ANSIBLE);
  const env = {
    ANSIBLE_COLLECTIONS_PATH: COLLECTIONS_FOLDER,
    ANSIBLE_PYTHON_INTERPRETER: python,
    ANSIBLE_LOCALHOST_WARNING: 'false',
    ANSIBLE_NOCOLOR: 'true',
    ANSIBLE_HOME: home,
    // They would win over validate_certs.
    REQUESTS_CA_BUNDLE: '',
    CURL_CA_BUNDLE: '',
  };
  const args = ['-i', 'localhost,', '-e', JSON.stringify(facts), file];
  await runOk(join(python, '..', 'ansible-playbook'), args, { env, timeoutMs: 300_000 });
}

const UNPACK = `
import glob, sys, zipfile
with zipfile.ZipFile(glob.glob(sys.argv[1] + '/ansible-*.whl')[0]) as wheel:
    wanted = [name for name in wheel.namelist() if name.startswith('ansible_collections/community/vmware/')]
    wheel.extractall(sys.argv[1], wanted)
`;

export async function installAnsible(): Promise<ClientUnderTest> {
  const core = await installPythonClient(ANSIBLE);
  if (core.state !== 'installed') return core;
  const folder = COLLECTIONS_FOLDER;
  const isThere = () =>
    stat(join(folder, 'ansible_collections/community/vmware/MANIFEST.json')).then(
      () => true,
      () => false,
    );
  if (!(await isThere())) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const python = pythonOf(ANSIBLE);
    const download = ['-m', 'pip', 'download', '-q', '--no-deps', '-d', folder, `ansible==${COLLECTIONS}`];
    const fetched = await run(python, download, { timeoutMs: 300_000 });
    await run(python, ['-c', UNPACK, folder]);
    await run('find', [folder, '-name', '*.whl', '-delete']);
    if (!(await isThere())) {
      return { ...core, state: 'not run', detail: fetched.stderr.trim().split('\n').at(-1) ?? 'no collections' };
    }
  }
  return { ...core, detail: `${CORE}, community.vmware of ${COLLECTIONS}` };
}
