// One connection to an ovsdb-server over its unix socket (RFC 7047): requests, and the updates of one monitor. It keeps no
// rows and does not reconnect: a lost connection is a new OvsdbClient (ovs-database.ts).
import { connect, type Socket } from 'node:net';
import { NetworkError } from '../provider.ts';
import { JsonStream } from './json-stream.ts';

/** An atom, `['uuid', …]`, `['set', […]]` or `['map', [[k, v], …]]`. */
export type OvsValue = string | number | boolean | readonly unknown[];
export type OvsRow = Readonly<Record<string, OvsValue>>;
export type OvsOperation = { readonly op: string } & Readonly<Record<string, unknown>>;
/** table -> row uuid -> what was and what is; no `new` = the row was deleted. */
export type TableUpdates = Readonly<
  Record<string, Readonly<Record<string, { readonly old?: OvsRow; readonly new?: OvsRow }>>>
>;

interface Reply {
  readonly id: unknown;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: unknown;
}

export class OvsdbClient {
  readonly #socket: Socket;
  readonly #stream = new JsonStream();
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #onUpdate: (updates: TableUpdates) => void = () => undefined;
  /** Resolves when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const { reject } of this.#waiting.values())
          reject(new NetworkError('the connection to ovsdb-server was lost'));
        this.#waiting.clear();
        resolve();
      });
    });
    socket.on('error', () => undefined); // 'close' follows
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
  }

  static connect(path: string): Promise<OvsdbClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', (cause) => reject(new NetworkError(`cannot reach ovsdb-server at ${path}`, { cause })));
      socket.once('connect', () => resolve(new OvsdbClient(socket)));
    });
  }

  /** All or nothing; returns each operation's result. Throws a NetworkError that holds the server's words. */
  async transact(operations: readonly OvsOperation[]): Promise<readonly unknown[]> {
    const results = await this.#call('transact', ['Open_vSwitch', ...operations]);
    // A refused operation is a member with `error`; one for the commit itself may follow the last operation's.
    const list: readonly unknown[] = Array.isArray(results) ? results : [];
    const refused = list.find((result) => typeof result === 'object' && result !== null && 'error' in result);
    if (refused) throw new NetworkError(`ovsdb-server refused a change: ${JSON.stringify(refused)}`);
    return list;
  }

  /** Hears of the tables' rows: all that there are before it returns, then every change. One per connection. */
  async monitor(
    columns: Readonly<Record<string, readonly string[]>>,
    onUpdate: (updates: TableUpdates) => void,
  ): Promise<void> {
    this.#onUpdate = onUpdate;
    const tables = Object.fromEntries(Object.entries(columns).map(([table, names]) => [table, { columns: names }]));
    // Told at once, not by the promise: the next update may be in the same bytes.
    await this.#call('monitor', ['Open_vSwitch', 'rows', tables], (rows) => onUpdate(rows as TableUpdates));
  }

  close(): void {
    this.#socket.destroy();
  }

  #call(
    method: string,
    params: readonly unknown[],
    tell: (result: unknown) => void = () => undefined,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new NetworkError('the connection to ovsdb-server was lost'));
        return;
      }
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, {
        reject,
        resolve: (result) => {
          tell(result);
          resolve(result);
        },
      });
      this.#socket.write(JSON.stringify({ method, params, id: this.#lastId }));
    });
  }

  #read(bytes: Buffer): void {
    let messages: unknown[];
    try {
      messages = this.#stream.push(bytes);
    } catch {
      this.#socket.destroy(); // not a JSON-RPC peer, or out of step with it: nothing after this can be understood
      return;
    }
    for (const message of messages) this.#receive(message as Reply);
  }

  #receive(message: Reply): void {
    if (message.method === 'echo') {
      this.#socket.write(JSON.stringify({ id: message.id, result: message.params, error: null }));
    } else if (message.method === 'update') {
      this.#onUpdate((message.params?.[1] ?? {}) as TableUpdates);
    } else if (typeof message.id === 'number') {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error !== null && message.error !== undefined) {
        waiting?.reject(new NetworkError(`ovsdb-server: ${JSON.stringify(message.error)}`));
      } else waiting?.resolve(message.result);
    }
  }
}
