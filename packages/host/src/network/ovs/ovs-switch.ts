// The host's own Open vSwitch: its two daemons, its database, its flows. Is told what should be and makes it so; what should
// be is decided elsewhere. Not safe for concurrent calls: the provider calls one after the other.
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger } from '@vivarium/base';
import type { Link } from '../adapters/host-adapters.ts';
import { isVmnicName } from '../adapters/physical-adapter.ts';
import { Daemon } from '../linux/daemon.ts';
import type { NetworkNamespace } from '../linux/network-namespace.ts';
import { NetworkError } from '../provider.ts';
import { runTool, type Tools } from '../tools.ts';
import { OvsDatabase } from './ovs-database.ts';
import { toMap } from './ovs-value.ts';
import { OPENFLOW_VERSION } from './plan-flows.ts';
import { type CurrentPort, type Datapath, type DesiredBridge, listPorts, planRows } from './plan-rows.ts';
import { databaseServer, ensureDatabaseFile, type SwitchFiles, switchDaemon } from './switch-daemons.ts';

/** The first that the switch speaks in which bundles may hold frames. */
const BUNDLE_VERSION = 'OpenFlow15';

export interface SwitchSurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tools: Tools;
  readonly namespace: NetworkNamespace;
  readonly files: SwitchFiles;
  /** ovs-vswitchd died and is back: without flows, and with its internal devices as new. */
  readonly onSwitchRestarted: () => void;
  /** An uplink has lost its link or got it back, or another speed. */
  readonly onLinksChanged: () => void;
}

export class OvsSwitch {
  readonly #around: SwitchSurroundings;
  readonly #database: OvsDatabase;
  readonly #databaseDaemon: Daemon;
  readonly #switchDaemon: Daemon;
  /** What each bridge was told last, so that nothing is told twice. */
  readonly #flows = new Map<string, string>();
  #links = '';

  constructor(around: SwitchSurroundings) {
    this.#around = around;
    const { clock, files } = around;
    this.#database = new OvsDatabase(files.databaseSocket, clock, () => this.#watchLinks());
    this.#databaseDaemon = new Daemon(databaseServer(files), { ...around, onRestarted: () => undefined });
    this.#switchDaemon = new Daemon(switchDaemon(files, this.#database), {
      ...around,
      onRestarted: () => {
        this.#flows.clear();
        around.onSwitchRestarted();
      },
    });
  }

  async start(): Promise<void> {
    await this.#startDatabase();
    await this.#database.open();
    // A host's switch is small; two threads more than these would only wait.
    const row = { other_config: toMap({ 'n-handler-threads': '1', 'n-revalidator-threads': '1' }) };
    const isNew = this.#database.rows.Open_vSwitch.size === 0;
    await this.#database.transact([
      isNew ? { op: 'insert', table: 'Open_vSwitch', row } : { op: 'update', table: 'Open_vSwitch', where: [], row },
    ]);
    await this.#switchDaemon.ensure();
  }

  /** The ports that the switch has, the bridges' own ones left out. */
  ports(): CurrentPort[] {
    return listPorts(this.#database.rows);
  }

  /** Of the uplinks, by their names. */
  links(): ReadonlyMap<string, Link> {
    return new Map(this.ports().flatMap(({ name, link }) => (isVmnicName(name) ? [[name, link] as const] : [])));
  }

  /** The datapath of the bridges that there are. */
  datapath(): Datapath | undefined {
    const [bridge] = this.#database.rows.Bridge.values();
    return bridge && (bridge['datapath_type'] === 'system' ? 'system' : 'netdev');
  }

  /** Makes the bridges and ports as they should be. Rejects when a device cannot be used; the caller says what should be then. */
  async arrange(bridges: readonly DesiredBridge[]): Promise<void> {
    const operations = planRows(this.#database.rows, bridges);
    if (operations.length > 0) await this.#database.commit(operations);
    const names = new Set(bridges.flatMap(({ ports }) => ports.map(({ name }) => name)));
    const broken = this.ports().find(
      ({ name, ofport, error }) => names.has(name) && (error !== undefined || ofport === -1),
    );
    if (broken)
      throw new NetworkError(`the switch cannot use ${broken.name}: ${broken.error ?? 'it does not say why'}`);
    for (const bridge of this.#flows.keys()) {
      if (!bridges.some(({ name }) => name === bridge)) this.#flows.delete(bridge);
    }
  }

  /** Replaces a bridge's flows, in one step for the frames that pass. */
  async setFlows(bridge: string, flows: readonly string[]): Promise<void> {
    const text = `${flows.join('\n')}\n`;
    if (this.#flows.get(bridge) === text) return;
    const { tools, files } = this.#around;
    this.#flows.delete(bridge);
    await runTool(tools, {
      program: '/usr/bin/ovs-ofctl',
      args: ['--bundle', '-O', OPENFLOW_VERSION, 'replace-flows', `unix:${join(files.folder, `${bridge}.mgmt`)}`, '-'],
      folders: [files.folder],
      stdin: text,
    });
    this.#flows.set(bridge, text);
  }

  /** Sends frames out; `lines` as `ovs-ofctl bundle` reads them. */
  async send(bridge: string, lines: readonly string[]): Promise<void> {
    const { tools, files } = this.#around;
    await runTool(tools, {
      program: '/usr/bin/ovs-ofctl',
      args: ['-O', BUNDLE_VERSION, 'bundle', `unix:${join(files.folder, `${bridge}.mgmt`)}`, '-'],
      folders: [files.folder],
      stdin: `${lines.join('\n')}\n`,
    });
  }

  /** Looks after the daemons no longer; they run on. */
  async release(): Promise<void> {
    await Promise.all([this.#switchDaemon.release(), this.#databaseDaemon.release()]);
    this.#database.close();
  }

  #watchLinks(): void {
    const links = JSON.stringify([...this.links()]);
    if (links === this.#links) return;
    this.#links = links;
    this.#around.onLinksChanged();
  }

  // The database only repeats what configuration and devices say, so one that cannot be read (a power cut) is put aside.
  async #startDatabase(): Promise<void> {
    const { tools, files, log } = this.#around;
    await ensureDatabaseFile(tools, files);
    try {
      await this.#databaseDaemon.ensure();
    } catch (error) {
      log.error({ database: files.database, err: error }, 'switch database cannot be read: making a new one');
      await rename(files.database, `${files.database}.broken`);
      await ensureDatabaseFile(tools, files);
      await this.#databaseDaemon.ensure();
    }
  }
}
