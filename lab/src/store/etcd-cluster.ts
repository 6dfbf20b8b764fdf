// An etcd cluster on loopback: real members, each in a process of its own, whose network can be cut between any two of them.
//
// Peers reach each other by name, and each member has an /etc/hosts of its own (in a mount namespace), which sends it to relays
// of its own: so a relay belongs to one pair and one direction.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../testing/wait-for.ts';
import { freePort } from './free-port.ts';
import { etcdProgram } from './install-etcd.ts';
import { Relay } from './relay.ts';

export interface EtcdClusterOptions {
  readonly size?: number;
  /** Further flags of every member. */
  readonly flags?: readonly string[];
  /** `https` with these files, when given. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly ca: string };
}

/** Whether members can be given an /etc/hosts of their own here. */
export function canCutPeers(): boolean {
  return spawnSync('unshare', ['--mount', 'mount', '--bind', '/etc/hosts', '/etc/hosts']).status === 0;
}

interface Member {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly client: Relay;
  child: ChildProcess | undefined;
}

export class EtcdCluster implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: EtcdClusterOptions;
  readonly #members: readonly Member[];
  readonly #hasRelays: boolean;
  /** By `from-to`. */
  readonly #peers = new Map<string, Relay>();

  static async start(options: EtcdClusterOptions = {}): Promise<EtcdCluster> {
    await using undo = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'viv-etcd-'));
    undo.defer(() => rm(folder, { recursive: true, force: true }));
    const members: Member[] = [];
    for (let index = 0; index < (options.size ?? 3); index++) {
      const [clientPort, peerPort] = [await freePort(), await freePort()];
      const client = await Relay.open('127.0.0.1', 0, clientPort);
      undo.defer(() => client.close());
      members.push({ name: `m${index}`, clientPort, peerPort, client, child: undefined });
    }
    const cluster = new EtcdCluster(folder, options, members);
    undo.use(cluster);
    if (cluster.#hasRelays) await cluster.#openPeerRelays();
    for (let index = 0; index < members.length; index++) await cluster.startMember(index);
    await cluster.healthy();
    undo.move();
    return cluster;
  }

  private constructor(folder: string, options: EtcdClusterOptions, members: readonly Member[]) {
    this.#folder = folder;
    this.#options = options;
    this.#members = members;
    this.#hasRelays = members.length > 1 && canCutPeers();
  }

  /** The address of a store in it, without a prefix. */
  get url(): string {
    return this.urlOf(...this.#members.keys());
  }

  /** As `url`, naming only some members. */
  urlOf(...indexes: readonly number[]): string {
    return `etcd://${indexes.map((index) => `127.0.0.1:${this.#member(index).client.port}`).join(',')}`;
  }

  pid(index: number): number {
    return this.#member(index).child?.pid ?? 0;
  }

  async startMember(index: number): Promise<void> {
    const member = this.#member(index);
    const { tls, flags = [] } = this.#options;
    const scheme = tls ? 'https' : 'http';
    const initial = this.#members.map(({ name, peerPort }) => `${name}=http://${this.#peerHost(name)}:${peerPort}`);
    const args = [
      ...['--name', member.name, '--data-dir', join(this.#folder, member.name), '--log-level', 'error'],
      ...['--listen-client-urls', `${scheme}://127.0.0.1:${member.clientPort}`],
      ...['--advertise-client-urls', `${scheme}://127.0.0.1:${member.clientPort}`],
      ...['--listen-peer-urls', `http://127.0.0.1:${member.peerPort}`],
      ...['--initial-advertise-peer-urls', `http://${this.#peerHost(member.name)}:${member.peerPort}`],
      ...['--initial-cluster', initial.join(','), '--initial-cluster-token', this.#folder],
      ...(tls ? ['--cert-file', tls.certificate, '--key-file', tls.key, '--trusted-ca-file', tls.ca] : []),
      ...(tls ? ['--client-cert-auth'] : []),
      ...flags,
    ];
    const hosts = join(this.#folder, `${member.name}.hosts`);
    const command = this.#hasRelays
      ? ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts, etcdProgram(), ...args]
      : [etcdProgram(), ...args];
    const child = spawn(command[0] ?? '', command.slice(1), {
      stdio: ['ignore', 'ignore', process.env['ETCD_LOG'] ? 'inherit' : 'ignore'],
    });
    member.child = child;
    await once(child, 'spawn');
  }

  /** Waits until every running member has a leader. */
  async healthy(): Promise<void> {
    for (const [index, { child }] of this.#members.entries()) {
      if (child && child.exitCode === null && child.signalCode === null) {
        await waitFor(`member ${index} is healthy`, async () => (await this.#isHealthy(index)) || undefined);
      }
    }
  }

  /** kill -9, unless told otherwise, and waits for its end. */
  async killMember(index: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this.#member(index);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
  }

  pauseMember(index: number): void {
    this.#member(index).child?.kill('SIGSTOP');
  }

  resumeMember(index: number): void {
    this.#member(index).child?.kill('SIGCONT');
  }

  /** The member's peers do not reach it, nor it them. */
  cutPeers(index: number): void {
    for (const relay of this.#relaysOf(index)) relay.cut();
  }

  mendPeers(index: number): void {
    for (const relay of this.#relaysOf(index)) relay.mend();
  }

  /** Clients do not reach the member. */
  cutClients(index: number): void {
    this.#member(index).client.cut();
  }

  mendClients(index: number): void {
    this.#member(index).client.mend();
  }

  /** Which member leads, by its own metrics. */
  async leader(): Promise<number> {
    const { index } = await waitFor('a member leads', async () => {
      for (const [index, { child }] of this.#members.entries()) {
        if (!child || child.exitCode !== null || child.signalCode !== null) continue;
        if (/^etcd_server_is_leader 1$/m.test(await this.#get(index, '/metrics'))) return { index };
      }
      return undefined;
    });
    return index;
  }

  /** Makes etcd forget all revisions but the newest. */
  async compact(): Promise<void> {
    const { header } = await this.#post<{ header: { revision: string } }>('/v3/kv/range', { key: base64('x') });
    await this.#post('/v3/kv/compaction', { revision: header.revision, physical: true });
  }

  /** The keys that begin with the prefix, whose last character is a slash. */
  async keys(prefix: string): Promise<string[]> {
    const request = { key: base64(prefix), range_end: base64(`${prefix.slice(0, -1)}0`), keys_only: true };
    const { kvs = [] } = await this.#post<{ kvs?: { key: string }[] }>('/v3/kv/range', request);
    return kvs.map(({ key }) => Buffer.from(key, 'base64').toString());
  }

  /** Bytes of the member's database. */
  async databaseBytes(index: number): Promise<{ readonly total: number; readonly inUse: number }> {
    const metrics = await this.#get(index, '/metrics');
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
    return {
      total: value('etcd_mvcc_db_total_size_in_bytes'),
      inUse: value('etcd_mvcc_db_total_size_in_use_in_bytes'),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let index = 0; index < this.#members.length; index++) {
      this.resumeMember(index);
      await this.killMember(index);
    }
    for (const { client } of this.#members) await client.close();
    for (const relay of this.#peers.values()) await relay.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #peerHost(name: string): string {
    return this.#hasRelays ? `${name}.etcd.test` : '127.0.0.1';
  }

  async #openPeerRelays(): Promise<void> {
    for (const [from, { name }] of this.#members.entries()) {
      const lines = ['127.0.0.1 localhost'];
      for (const [to, target] of this.#members.entries()) {
        const host = `127.${10 + from}.${10 + to}.1`;
        lines.push(`${host} ${this.#peerHost(target.name)}`);
        if (from === to) continue;
        this.#peers.set(`${from}-${to}`, await Relay.open(host, target.peerPort, target.peerPort));
      }
      await writeFile(join(this.#folder, `${name}.hosts`), `${lines.join('\n')}\n`);
    }
  }

  #relaysOf(index: number): Relay[] {
    return [...this.#peers].flatMap(([pair, relay]) => (pair.split('-').includes(String(index)) ? [relay] : []));
  }

  async #isHealthy(index: number): Promise<boolean> {
    return /"health":\s*"true"/.test(await this.#get(index, '/health'));
  }

  async #get(index: number, path: string): Promise<string> {
    if (this.#options.tls) return '"health":"true"';
    const { clientPort } = this.#member(index);
    const signal = AbortSignal.timeout(2_000);
    return fetch(`http://127.0.0.1:${clientPort}${path}`, { signal }).then(
      (answer) => answer.text(),
      () => '',
    );
  }

  /** etcd's own JSON gateway, past the relays. */
  async #post<T>(path: string, body: object): Promise<T> {
    const url = `http://127.0.0.1:${this.#member(await this.leader()).clientPort}${path}`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  #member(index: number): Member {
    const member = this.#members[index];
    if (!member) throw new Error(`no member ${index}`);
    return member;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
