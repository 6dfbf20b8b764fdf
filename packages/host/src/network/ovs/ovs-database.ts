// The switch's database: a live copy of the rows that matter here, and commits that return when the switch has carried them
// out. Survives the death of ovsdb-server (waits for the next one) as long as somebody restarts it.
import { type Clock, delay } from '@vivarium/base';
import { NetworkError } from '../provider.ts';
import { OvsdbClient, type OvsOperation, type OvsRow, type TableUpdates } from './ovsdb-client.ts';

/** What is kept of each table. */
const COLUMNS = {
  Open_vSwitch: ['next_cfg', 'cur_cfg', 'bridges'],
  Bridge: ['name', 'ports', 'datapath_type', 'fail_mode'],
  Port: ['name', 'interfaces', 'tag', 'external_ids'],
  Interface: ['name', 'type', 'ofport', 'error', 'mtu_request', 'link_state', 'link_speed', 'duplex'],
} as const;

export type Table = keyof typeof COLUMNS;
/** table -> row uuid -> row. */
export type Rows = Readonly<Record<Table, ReadonlyMap<string, OvsRow>>>;

const APPLIED_WITHIN_MS = 20_000;

export class OvsDatabase {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #client: OvsdbClient | undefined;
  #rows = emptyRows();
  readonly #waiters = new Set<() => void>();
  readonly #onRows: () => void;

  /** `onRows` is called after every change of the rows. */
  constructor(path: string, clock: Clock, onRows: () => void) {
    this.#path = path;
    this.#clock = clock;
    this.#onRows = onRows;
  }

  get rows(): Rows {
    return this.#rows;
  }

  /** Connects and holds the connection up until `close`. */
  async open(): Promise<void> {
    const client = await this.#connect();
    void this.#reconnectAfter(client);
  }

  /** Carries the operations out in the database, and waits until ovs-vswitchd has made them true. Throws a NetworkError. */
  async commit(operations: readonly OvsOperation[]): Promise<void> {
    const bump = { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] };
    const select = { op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] };
    const results = await this.transact([...operations, bump, select]);
    const target = nextConfiguration(results.at(-1));
    await this.#until(() => currentConfiguration(this.#rows) >= target);
  }

  /** Waits until ovs-vswitchd has taken in everything that the database holds: after it was restarted. */
  async settle(): Promise<void> {
    await this.commit([]);
  }

  async transact(operations: readonly OvsOperation[]): Promise<readonly unknown[]> {
    await this.#until(() => this.#client !== undefined);
    if (!this.#client) throw new NetworkError('the connection to ovsdb-server was lost');
    return this.#client.transact(operations);
  }

  close(): void {
    this.#closing.abort(new NetworkError('the switch database was closed'));
    this.#client?.close();
    this.#wake();
  }

  async #connect(): Promise<OvsdbClient> {
    const client = await OvsdbClient.connect(this.#path);
    this.#rows = emptyRows();
    await client.monitor(COLUMNS, (updates) => {
      this.#rows = withUpdates(this.#rows, updates);
      this.#wake();
      this.#onRows();
    });
    this.#client = client;
    this.#wake();
    return client;
  }

  async #reconnectAfter(first: OvsdbClient): Promise<void> {
    const { signal } = this.#closing;
    let client = first;
    while (!signal.aborted) {
      await client.closed;
      this.#client = undefined;
      while (!signal.aborted && !this.#client) {
        try {
          client = await this.#connect();
        } catch {
          await delay(this.#clock, 50, signal).catch(() => undefined); // its keeper is starting it again
        }
      }
    }
    this.#client?.close();
  }

  async #until(condition: () => boolean): Promise<void> {
    let late = false;
    const timer = this.#clock.setTimer(APPLIED_WITHIN_MS, () => {
      late = true;
      this.#wake();
    });
    try {
      while (!condition()) {
        this.#closing.signal.throwIfAborted();
        if (late) throw new NetworkError(`the switch did not answer within ${APPLIED_WITHIN_MS} ms`);
        await new Promise<void>((resolve) => this.#waiters.add(resolve));
      }
    } finally {
      timer.cancel();
    }
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}

function emptyRows(): Rows {
  return { Open_vSwitch: new Map(), Bridge: new Map(), Port: new Map(), Interface: new Map() };
}

function withUpdates(rows: Rows, updates: TableUpdates): Rows {
  const next: Record<Table, ReadonlyMap<string, OvsRow>> = { ...rows };
  for (const table of Object.keys(COLUMNS) as Table[]) {
    const changes = updates[table];
    if (!changes) continue;
    const copy = new Map(rows[table]);
    for (const [uuid, change] of Object.entries(changes)) {
      if (change.new) copy.set(uuid, change.new);
      else copy.delete(uuid);
    }
    next[table] = copy;
  }
  return next;
}

function currentConfiguration(rows: Rows): number {
  const [root] = rows.Open_vSwitch.values();
  return typeof root?.['cur_cfg'] === 'number' ? root['cur_cfg'] : -1;
}

function nextConfiguration(result: unknown): number {
  const { rows } = result as { rows: readonly { next_cfg: number }[] };
  return rows[0]?.next_cfg ?? 0;
}
