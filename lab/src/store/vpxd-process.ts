// A vpxd in a process of its own, over a store that others may have open too.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { VimClient } from '@vivarium/client';
import { waitFor } from '../testing/wait-for.ts';
import { freePort } from './free-port.ts';

const VPXD = resolve(import.meta.dirname, '../../../packages/vcenter/src/main.ts');
/** As `viv up` starts it. */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=64'];

export interface Account {
  readonly userName: string;
  readonly password: string;
}

export type Role = 'leader' | 'standby';

interface Ready {
  readonly pid: number;
  readonly role: Role;
}

export class VpxdProcess implements AsyncDisposable {
  readonly stateDir: string;
  readonly #store: string | undefined;
  readonly #ownsFolder: boolean;
  #child: ChildProcess | undefined;
  #port = 0;

  /** `stateDir`: another place than a temporary folder of its own. */
  static async start(store: string | undefined, stateDir?: string): Promise<VpxdProcess> {
    const vpxd = new VpxdProcess(
      store,
      stateDir ?? (await mkdtemp(join(tmpdir(), 'viv-vpxd-'))),
      stateDir === undefined,
    );
    vpxd.#port = await freePort();
    await vpxd.start();
    return vpxd;
  }

  private constructor(store: string | undefined, stateDir: string, ownsFolder: boolean) {
    this.#store = store;
    this.stateDir = stateDir;
    this.#ownsFolder = ownsFolder;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** On the port that it had before. */
  async start(): Promise<void> {
    const config = join(this.stateDir, 'vpxd.json');
    const listen = { address: '127.0.0.1', port: this.#port };
    await writeFile(config, JSON.stringify({ stateDir: this.stateDir, listen, store: this.#store }));
    await using log = await open(join(this.stateDir, 'vpxd.log'), 'a', 0o600);
    this.#child = spawn(process.execPath, [...FLAGS, VPXD, config], {
      stdio: ['ignore', log.fd, log.fd],
    });
    await once(this.#child, 'spawn');
  }

  /** Waits until it says so. */
  async is(role: Role, timeoutMs?: number): Promise<void> {
    try {
      const isSo = async () => {
        if (this.#child?.exitCode !== null) throw new Error(`vpxd has ended: ${this.#child?.exitCode}`);
        const ready = await this.#ready();
        return ready?.pid === this.pid && ready.role === role;
      };
      await waitFor(`vpxd to be ${role}`, isSo, timeoutMs);
    } catch (error) {
      const log = await readFile(join(this.stateDir, 'vpxd.log'), 'utf8');
      throw new Error(`${String(error)}; the end of its log:\n${log.slice(-4000)}`, { cause: error });
    }
  }

  /** Of the first administrator, when this one made it. */
  async account(): Promise<Account> {
    return JSON.parse(await readFile(join(this.stateDir, 'credentials.json'), 'utf8')) as Account;
  }

  /** Logged in; rejects when it does not let us in. */
  async connect({ userName, password }: Account): Promise<VimClient & Disposable> {
    const authority = await readFile(join(this.stateDir, 'certificates', 'root.crt'), 'utf8');
    const client = new VimClient({ url: this.url, trust: { authority } });
    try {
      await client.login(userName, password);
    } catch (error) {
      client.close();
      throw error;
    }
    return Object.assign(client, { [Symbol.dispose]: () => client.close() });
  }

  /** The status and body that it answers with; undefined when nobody does. */
  ask(path: string, method = 'GET'): Promise<{ readonly status: number; readonly body: string } | undefined> {
    return new Promise((done) => {
      const call = request(`${this.url}${path}`, { method, rejectUnauthorized: false, agent: false }, (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        answer.on('end', () => done({ status: answer.statusCode ?? 0, body }));
        answer.on('error', () => done(undefined));
      });
      call.on('error', () => done(undefined));
      call.end();
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async ends(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'close');
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ends();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGCONT');
    await this.kill();
    if (this.#ownsFolder) await rm(this.stateDir, { recursive: true, force: true });
  }

  async #ready(): Promise<Ready | undefined> {
    const text = await readFile(join(this.stateDir, 'vpxd.pid'), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as Ready);
  }
}
