// One host for a test: brought up by the command line as a user would, with a state directory of its own, and taken down
// whatever happens.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { VimClient } from '@vivarium/client';
import { isAlive } from './process.ts';
import { run, runOk } from './run.ts';
import { spawnHostd } from './spawn-hostd.ts';
import { waitFor } from './wait-for.ts';

const VIV = resolve(import.meta.dirname, '../../../packages/cli/src/main.ts');
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;

export interface LabHost extends AsyncDisposable {
  readonly url: string;
  readonly userName: string;
  readonly password: string;
  readonly stateDir: string;
  /** State of the host itself: datastore1, run, hostd.log. */
  readonly hostDir: string;
  /** Variables for govc. */
  readonly env: Readonly<Record<string, string>>;
  viv(...args: string[]): Promise<string>;
  hostdPid(): Promise<number>;
  /** kill -9; guests run on. */
  killHostd(): Promise<void>;
  /** Starts hostd again on the same state (another port may be chosen: `url` and `env` follow). */
  restart(): Promise<void>;
  /** Starts hostd alone again; milliseconds until it served with every running VM taken over. */
  startHostd(): Promise<number>;
  /** A new session of our own client. */
  connect(): Promise<VimClient & AsyncDisposable>;
  /** The end of hostd's log: for messages of failing tests. */
  log(): Promise<string>;
}

interface UpResult {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/** Brings a host with the demo VM up; returns when its guest has booted. */
export async function startLabHost(): Promise<LabHost> {
  const stateDir = await mkdtemp(join(tmpdir(), 'vivlab-'));
  const hostDir = join(stateDir, 'esx1');
  const viv = (...args: string[]) =>
    runOk(NODE[0], [NODE[1], VIV, ...args, '--state-dir', stateDir], { timeoutMs: 300_000 });
  const up = async () => JSON.parse(await viv('up', '--detach', '--json', '--port', '0', '--hosts', '1')) as UpResult;
  const down = async () => {
    await run(NODE[0], [NODE[1], VIV, 'down', '--state-dir', stateDir], { timeoutMs: 120_000 });
    await rm(stateDir, { recursive: true, force: true });
  };
  let current: UpResult;
  try {
    current = await up();
  } catch (error) {
    const log = await readFile(join(hostDir, 'hostd.log'), 'utf8').catch(() => '');
    await down();
    throw new Error(`the host did not come up; the end of its log:\n${log.slice(-4000)}`, { cause: error });
  }
  const hostdPid = async () => (JSON.parse(await readFile(join(hostDir, 'hostd.pid'), 'utf8')) as { pid: number }).pid;
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
      };
    },
    userName: current.username,
    password: current.password,
    stateDir,
    hostDir,
    viv,
    hostdPid,
    async killHostd() {
      const pid = await hostdPid();
      process.kill(pid, 'SIGKILL');
      await waitFor('hostd to be gone', async () => !isAlive(pid));
    },
    async restart() {
      current = await up();
    },
    async startHostd() {
      const { url, readyMs } = await spawnHostd(hostDir);
      current = { ...current, url };
      return readyMs;
    },
    async connect() {
      const certificate = await readFile(join(hostDir, 'ssl', 'rui.crt'), 'utf8');
      const client = new VimClient({ url: current.url, trust: { certificate } });
      await client.login(current.username, current.password);
      return Object.assign(client, {
        async [Symbol.asyncDispose]() {
          await client.logout().catch(() => undefined);
          client.close();
        },
      });
    },
    log: async () => (await readFile(join(hostDir, 'hostd.log'), 'utf8')).slice(-6000),
    [Symbol.asyncDispose]: down,
  };
}
