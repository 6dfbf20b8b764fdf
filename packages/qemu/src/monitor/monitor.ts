// One connection to one QEMU's monitor: commands out, replies and events in. It lives until `closed` resolves; nothing reconnects
// it (a QEMU that lost its monitor is either dead or needs a new Monitor, which is for the VM's owner to decide).

import type { Duplex } from 'node:stream';
import { type Clock, type Logger, silentLogger, type Timer } from '@vivarium/base';
import { MonitorClosedError, MonitorTimeoutError, QmpError } from './errors.ts';
import type { Transcript } from './transcript.ts';
import { openWire, ProtocolError, type QmpEvent, type QmpMessage, type QmpReply } from './wire.ts';

export interface WaitOptions {
  /** Absent = 30 s. */
  readonly timeoutMs?: number;
  /** Gives up waiting; the command itself cannot be taken back. */
  readonly signal?: AbortSignal;
}

/** What the intent-named commands need of a monitor. */
export interface Qmp {
  readonly clock: Clock;
  /** Runs one command; resolves with its `return`. Rejects with QmpError, MonitorClosedError, MonitorTimeoutError or the signal's reason. */
  execute(command: string, args?: object, options?: WaitOptions): Promise<unknown>;
  /** Resolves with the first event from now on that `accept` returns true for; rejects like `execute`. */
  waitFor(accept: (event: QmpEvent) => boolean, options?: WaitOptions): Promise<QmpEvent>;
}

export type EventListener = (event: QmpEvent) => void | Promise<void>;

export interface MonitorOptions {
  readonly clock: Clock;
  readonly log?: Logger;
  /** Closed with the monitor. */
  readonly transcript?: Transcript;
}

interface Pending {
  readonly command: string;
  settle(reply: QmpReply): void;
  fail(reason: Error): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Commands that QEMU has not answered yet; more means that it hangs. */
const MOST_PENDING = 256;

export class Monitor implements Qmp {
  readonly clock: Clock;
  /** Resolves (never rejects) when the connection is gone, with the reason if it broke. */
  readonly closed: Promise<Error | undefined>;
  readonly #stream: Duplex;
  readonly #send: (message: object) => void;
  readonly #log: Logger;
  readonly #transcript: Transcript | undefined;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<EventListener>();
  readonly #waiters = new Set<{ accept(event: QmpEvent): boolean; fail(reason: Error): void }>();
  readonly #greeted = Promise.withResolvers<string>();
  #nextId = 1;
  #isClosed = false;
  #version = '';

  private constructor(stream: Duplex, options: MonitorOptions) {
    this.clock = options.clock;
    this.#log = options.log ?? silentLogger;
    this.#transcript = options.transcript;
    this.#stream = stream;
    const closed = Promise.withResolvers<Error | undefined>();
    this.closed = closed.promise;
    this.#greeted.promise.catch(() => undefined); // whoever waits for it hears of it
    this.#send = openWire(stream, {
      message: (message) => this.#receive(message),
      closed: (reason) => {
        this.#onClosed(reason);
        closed.resolve(reason);
      },
    });
  }

  /** Takes over a connected stream: waits for the greeting and enters command mode. Closes the stream when that fails. */
  static async open(stream: Duplex, options: MonitorOptions & WaitOptions): Promise<Monitor> {
    const monitor = new Monitor(stream, options);
    try {
      monitor.#version = await monitor.#bounded(monitor.#greeted.promise, 'the greeting', options);
      await monitor.execute('qmp_capabilities', undefined, options);
      return monitor;
    } catch (error) {
      monitor.close();
      throw error;
    }
  }

  /** QEMU's version, e.g. `11.1.3`. */
  get version(): string {
    return this.#version;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The connection itself, for passing descriptors (send-fd.ts). */
  get stream(): Duplex {
    return this.#stream;
  }

  async execute(command: string, args?: object, options: WaitOptions = {}): Promise<unknown> {
    return await this.#run(command, args, options, (message) => this.#send(message));
  }

  /** As `execute`, with another way to put the bytes on the wire (together with descriptors). */
  async executeVia(
    transmit: (bytes: Buffer) => void,
    command: string,
    args?: object,
    options: WaitOptions = {},
  ): Promise<unknown> {
    return await this.#run(command, args, options, (message) => transmit(Buffer.from(`${JSON.stringify(message)}\n`)));
  }

  async #run(
    command: string,
    args: object | undefined,
    options: WaitOptions,
    send: (message: object) => void,
  ): Promise<unknown> {
    options.signal?.throwIfAborted();
    if (this.#isClosed) throw new MonitorClosedError(`${command}: the monitor is closed`);
    if (this.#pending.size >= MOST_PENDING)
      throw new MonitorTimeoutError(`${command}: QEMU has not answered ${MOST_PENDING} commands`);
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(id, {
      command,
      settle: (reply) => {
        if (reply.error) answer.reject(new QmpError(command, reply.error.class, reply.error.desc));
        else answer.resolve(reply.value);
      },
      fail: (reason) => answer.reject(reason),
    });
    this.#transcript?.sent(id, command, args);
    try {
      send(args === undefined ? { execute: command, id } : { execute: command, arguments: args, id });
    } catch (error) {
      this.#pending.delete(id);
      throw error;
    }
    return await this.#bounded(answer.promise, command, options);
  }

  waitFor(accept: (event: QmpEvent) => boolean, options: WaitOptions = {}): Promise<QmpEvent> {
    if (this.#isClosed) return Promise.reject(new MonitorClosedError('the monitor is closed'));
    const found = Promise.withResolvers<QmpEvent>();
    const waiter = {
      accept: (event: QmpEvent) => {
        const isIt = accept(event);
        if (isIt) found.resolve(event);
        return isIt;
      },
      fail: found.reject,
    };
    this.#waiters.add(waiter);
    return this.#bounded(found.promise, 'an event', options).finally(() => this.#waiters.delete(waiter));
  }

  /** Hears every event until the returned function is called. A listener that throws is logged, not dropped. */
  onEvent(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#stream.destroy();
  }

  #receive(message: QmpMessage): void {
    switch (message.kind) {
      case 'greeting':
        this.#greeted.resolve(message.version);
        return;
      case 'event':
        this.#transcript?.event(message);
        for (const waiter of [...this.#waiters]) this.#guarded(() => void waiter.accept(message), message.event);
        for (const listener of [...this.#listeners]) this.#guarded(() => listener(message), message.event);
        return;
      case 'reply':
        this.#settle(message);
    }
  }

  #settle(reply: QmpReply): void {
    const pending = reply.id === undefined ? undefined : this.#pending.get(reply.id);
    if (reply.id === undefined || !pending) throw new ProtocolError('a reply to no command');
    this.#pending.delete(reply.id);
    this.#transcript?.received(reply, pending.command);
    pending.settle(reply);
  }

  // An error of ours must not look like one of the peer's, which would end the connection.
  #guarded(work: () => void | Promise<void>, event: string): void {
    const report = (error: unknown) => this.#log.error({ event, err: error }, 'A listener of QMP events failed');
    try {
      const outcome = work();
      if (outcome instanceof Promise) outcome.catch(report);
    } catch (error) {
      report(error);
    }
  }

  #onClosed(reason: Error | undefined): void {
    this.#isClosed = true;
    const error = (subject: string) =>
      new MonitorClosedError(`${subject}: the monitor was closed`, reason ? { cause: reason } : {});
    this.#greeted.reject(error('the greeting'));
    for (const { command, fail } of this.#pending.values()) fail(error(command));
    this.#pending.clear();
    for (const { fail } of this.#waiters) fail(error('an event'));
    this.#waiters.clear();
    this.#listeners.clear();
    this.#transcript?.close();
  }

  async #bounded<T>(
    promise: Promise<T>,
    subject: string,
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: WaitOptions,
  ): Promise<T> {
    const ended = Promise.withResolvers<never>();
    const timer: Timer = this.clock.setTimer(timeoutMs, () =>
      ended.reject(new MonitorTimeoutError(`${subject}: nothing within ${timeoutMs} ms`)),
    );
    const onAbort = () => ended.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([promise, ended.promise]);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      promise.catch(() => undefined); // an answer that comes after we gave up
    }
  }
}
