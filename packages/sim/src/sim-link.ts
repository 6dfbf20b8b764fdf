// vCenter's connection to a simulated host: news in order, and ends of tasks behind the news that the tasks made.

import {
  type FolderAnswer,
  type FolderRequest,
  type HostDialer,
  type HostLink,
  type HostNews,
  type HostTarget,
  HostUnreachable,
  type NfcRequest,
  type RunOptions,
} from '@vivarium/vcenter';
import { type AboutInfo, type Event, type ManagedObjectReference, MethodFault } from '@vivarium/vim';
import type { SimHost } from './sim-host.ts';

export class SimLink implements HostLink {
  readonly about: AboutInfo;
  readonly #host: SimHost;
  readonly #news: HostNews[] = [];
  readonly #ended: (() => void)[] = [];
  #wake = Promise.withResolvers<void>();
  #isClosed = false;
  #lastChain = 0;

  constructor(host: SimHost) {
    this.#host = host;
    this.about = host.options.view.about;
  }

  async hardwareUuid(): Promise<string> {
    return this.#host.options.view.facts.uuid;
  }

  async *updates(signal: AbortSignal): AsyncIterable<HostNews> {
    const wake = () => this.#wake.resolve();
    signal.addEventListener('abort', wake, { once: true });
    const stop = this.#host.listen((news) => {
      this.#news.push(news);
      wake();
    });
    try {
      while (!signal.aborted && !this.#isClosed) {
        const next = this.#news.shift();
        if (next) {
          yield next;
          continue;
        }
        this.#endTasks();
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    } finally {
      stop();
      signal.removeEventListener('abort', wake);
      this.#endTasks();
    }
  }

  /** What they did has been told, or nobody listens any more. */
  #endTasks(): void {
    for (const end of this.#ended.splice(0)) end();
  }

  /** Only what happens from now on: a simulated host keeps no history. */
  async *events(_afterKey: number | undefined, signal: AbortSignal): AsyncIterable<readonly Event[]> {
    const waiting: Event[] = [];
    let wake = Promise.withResolvers<void>();
    const stopWaiting = () => wake.resolve();
    signal.addEventListener('abort', stopWaiting, { once: true });
    const stop = this.#host.onEvent((event) => {
      waiting.push(event);
      wake.resolve();
    });
    try {
      while (!signal.aborted) {
        if (waiting.length > 0) yield waiting.splice(0);
        await wake.promise;
        wake = Promise.withResolvers();
      }
    } finally {
      stop();
      signal.removeEventListener('abort', stopWaiting);
    }
  }

  async call(target: ManagedObjectReference, method: string, args: object, signal?: AbortSignal): Promise<unknown> {
    if (this.#isClosed) throw new HostUnreachable('the simulated host is disconnected');
    return this.#host.perform(target, method, args as Record<string, unknown>, { ...(signal ? { signal } : {}) });
  }

  async run(
    target: ManagedObjectReference,
    method: string,
    args: object,
    { signal, onChain }: RunOptions = {},
  ): Promise<unknown> {
    if (this.#isClosed) throw new HostUnreachable('the simulated host is disconnected');
    const chainId = ++this.#lastChain;
    onChain?.(chainId);
    const around = { chainId, ...(signal ? { signal } : {}) };
    const result = await this.#host.perform(target, method, args as Record<string, unknown>, around);
    if (this.#isClosed) throw new HostUnreachable('the simulated host was disconnected meanwhile');
    await new Promise<void>((resolve) => {
      this.#ended.push(resolve);
      this.#wake.resolve();
    });
    return result;
  }

  /** Simulated guests draw nothing. */
  async screen(): Promise<Uint8Array> {
    throw new MethodFault('NotSupported');
  }

  async folder(request: FolderRequest): Promise<FolderAnswer> {
    if (this.#isClosed) throw new HostUnreachable('the simulated host is disconnected');
    return this.#host.folder(request);
  }

  nfc(request: NfcRequest): Promise<FolderAnswer> {
    return this.#host.imports.receive(request);
  }

  /** Leases are all that a simulated host has beside its inventory. */
  watch(
    ref: ManagedObjectReference,
    paths: readonly string[],
    signal: AbortSignal,
  ): AsyncIterable<Readonly<Record<string, unknown>>> {
    return this.#host.imports.watch(ref, paths, signal);
  }

  close(): void {
    this.#isClosed = true;
    this.#wake.resolve();
  }
}

/** Simulated hosts by the address that vCenter knows them by; any account will do. */
export class SimDialer implements HostDialer {
  readonly #find: (address: string) => SimHost | undefined;

  constructor(find: (address: string) => SimHost | undefined) {
    this.#find = find;
  }

  introduce(target: HostTarget): Promise<HostLink> {
    return this.dial(target);
  }

  async dial({ address }: HostTarget): Promise<HostLink> {
    const host = this.#find(address);
    if (!host) throw new HostUnreachable(`there is no simulated host ${address}`);
    return new SimLink(host);
  }

  /** Nobody comes to it by a network. */
  part(): Promise<void> {
    return Promise.resolve();
  }
}
