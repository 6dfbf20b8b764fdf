// A whole `viv up` of its own for a test: vCenter over several hosts, each in a process of its own, with the demo VM running.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { VimClient } from '@vivarium/client';
import { listProcesses } from './machine-traces.ts';
import { isAlive } from './process.ts';
import { run, runOk } from './run.ts';
import { waitFor } from './wait-for.ts';

const VIV = resolve(import.meta.dirname, '../../../packages/cli/src/main.ts');
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;

interface UpResult {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

export interface LabCenter extends AsyncDisposable {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stateDir: string;
  /** Logged in; closes itself. */
  connect(): Promise<VimClient & AsyncDisposable>;
  /** The same at one of its hosts, as root. */
  connectToHost(name: string): Promise<VimClient & AsyncDisposable>;
  /** `viv` with this instance's state directory. */
  viv(...args: string[]): Promise<string>;
  /** Starts again what has been killed. */
  up(): Promise<void>;
  /** SIGKILL; `vcenter`, `esx1`, `esx2` … */
  kill(name: string): Promise<void>;
  /** SIGKILL for all that runs of one host: hostd, guests, switch, DHCP. */
  killMachine(name: string): Promise<void>;
  log(): Promise<string>;
}

/** `more`: further options of `viv up`. */
export async function startLabCenter(hosts: number, more: readonly string[] = []): Promise<LabCenter> {
  const stateDir = await mkdtemp(join(tmpdir(), 'vivcenter-'));
  const viv = (...args: string[]) =>
    runOk(NODE[0], [NODE[1], VIV, ...args, '--state-dir', stateDir], { timeoutMs: 300_000 });
  const down = async () => {
    await run(NODE[0], [NODE[1], VIV, 'down', '--state-dir', stateDir], { timeoutMs: 120_000 });
    await rm(stateDir, { recursive: true, force: true });
  };
  const log = async () => (await readFile(join(stateDir, 'vcenter', 'vpxd.log'), 'utf8').catch(() => '')).slice(-6000);
  const up = async () =>
    JSON.parse(await viv('up', '--detach', '--json', '--port', '0', '--hosts', String(hosts), ...more)) as UpResult;
  const authority = async () => ({
    authority: await readFile(join(stateDir, 'vcenter', 'certificates', 'root.crt'), 'utf8'),
  });
  let current: UpResult;
  try {
    current = await up();
  } catch (error) {
    const text = await log();
    await down();
    throw new Error(`vCenter did not come up; the end of its log:\n${text}`, { cause: error });
  }
  return {
    get url() {
      return current.url;
    },
    get env() {
      return {
        GOVC_URL: `${current.url}/sdk`,
        GOVC_USERNAME: current.username,
        GOVC_PASSWORD: current.password,
        GOVC_INSECURE: 'true',
        GOVC_PERSIST_SESSION: 'false',
        GOVC_DATASTORE: 'datastore1',
        GOVC_NETWORK: 'VM Network',
        GOVC_RESOURCE_POOL: '/DC/host/Cluster/Resources',
      };
    },
    stateDir,
    viv,
    async up() {
      current = await up();
    },
    async kill(name) {
      const file = join(stateDir, name, name === 'vcenter' ? 'vpxd.pid' : 'hostd.pid');
      const { pid } = JSON.parse(await readFile(file, 'utf8')) as { pid: number };
      process.kill(pid, 'SIGKILL');
      await waitFor(`${name} to be gone`, async () => !isAlive(pid));
    },
    async killMachine(name) {
      const processes = await listProcesses(join(stateDir, name));
      for (const { pid } of processes) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended with another
        }
      }
      await waitFor(`all of ${name} to be gone`, async () => processes.every(({ pid }) => !isAlive(pid)));
    },
    async connect() {
      return logIn(current.url, await authority(), current);
    },
    async connectToHost(name) {
      const read = async <T>(file: string) => JSON.parse(await readFile(join(stateDir, name, file), 'utf8')) as T;
      const { port } = await read<{ port: number }>('hostd.pid');
      const { userName, password } = await read<{ userName: string; password: string }>('credentials.json');
      const certificate = await readFile(join(stateDir, name, 'ssl', 'rui.crt'), 'utf8');
      return logIn(`https://127.0.0.1:${port}`, { certificate }, { username: userName, password });
    },
    log,
    [Symbol.asyncDispose]: down,
  };
}

async function logIn(
  url: string,
  trust: ConstructorParameters<typeof VimClient>[0]['trust'],
  { username, password }: Pick<UpResult, 'username' | 'password'>,
): Promise<VimClient & AsyncDisposable> {
  const client = new VimClient({ url, trust });
  await client.login(username, password);
  return Object.assign(client, {
    async [Symbol.asyncDispose]() {
      await client.logout().catch(() => undefined);
      client.close();
    },
  });
}
