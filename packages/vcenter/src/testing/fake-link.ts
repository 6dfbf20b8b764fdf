// vCenter's connection to a FakeHost, and how it is reached.
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type AboutInfo, type Event, type ManagedObjectReference, MethodFault, make } from '@vivarium/vim';
import { FOLDER_PAGE_HEADER } from '@vivarium/vmomi';
import {
  type FolderAnswer,
  type FolderRequest,
  type HostDialer,
  type HostLink,
  type HostNews,
  type HostTarget,
  HostUnreachable,
  type ManagementClaim,
  type NfcRequest,
  type RunOptions,
} from '../host-link/host-link.ts';
import type { FakeHost } from './fake-host.ts';
import { everythingOf } from './fake-host-said.ts';

const ABOUT = make('AboutInfo', {
  name: 'VMware ESXi',
  fullName: 'VMware ESXi 9.0.0',
  vendor: 'VMware, Inc.',
  version: '9.0.0',
  build: '1',
  osType: 'vmnix-x86',
  productLineId: 'embeddedEsx',
  apiType: 'HostAgent',
  apiVersion: '9.0.0.0',
});

export class FakeLink implements HostLink {
  readonly about: AboutInfo = ABOUT;
  readonly #host: FakeHost;
  readonly #news: HostNews[] = [];
  #wake = Promise.withResolvers<void>();
  #error: Error | undefined;
  /** Told after the news that came before. */
  #afterNews: (() => void)[] = [];

  constructor(host: FakeHost) {
    this.#host = host;
  }

  async hardwareUuid(): Promise<string> {
    return this.#host.uuid;
  }

  async *updates(signal: AbortSignal): AsyncIterable<HostNews> {
    const stop = () => this.#wake.resolve();
    signal.addEventListener('abort', stop);
    try {
      yield { updates: everythingOf(this.#host), isPartial: false };
      while (!signal.aborted) {
        const next = this.#news.shift();
        if (next) {
          yield next;
          continue;
        }
        for (const tell of this.#afterNews.splice(0)) tell();
        if (this.#error) throw this.#error;
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    } finally {
      // Whoever waits for the end of a task will not hear of it: as with a real host.
      this.#error ??= new HostUnreachable('the connection to the host has ended');
      for (const tell of this.#afterNews.splice(0)) tell();
    }
  }

  async *events(): AsyncIterable<readonly Event[]> {}

  /** The picture is the host's own name of the VM. */
  async screen({ value }: ManagedObjectReference): Promise<Uint8Array> {
    if (!this.#host.isReachable) throw new HostUnreachable(`${this.#host.address} does not answer`);
    return Buffer.from(value);
  }

  async call(target: ManagedObjectReference, method: string, args: object): Promise<unknown> {
    if (this.#error) throw this.#error;
    if (!this.#host.isReachable) throw new HostUnreachable(`${this.#host.address} does not answer`);
    return this.#host.perform(target, method, args as Record<string, unknown>);
  }

  async run(target: ManagedObjectReference, method: string, args: object, options: RunOptions = {}): Promise<unknown> {
    options.signal?.throwIfAborted();
    const result = await this.call(target, method, args);
    if (this.#error) throw this.#error;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#afterNews.push(() => (this.#error ? reject(this.#error) : resolve()));
    this.#wake.resolve();
    await promise;
    return result;
  }

  push(news: HostNews): void {
    this.#news.push(news);
    this.#wake.resolve();
  }

  fail(error: Error): void {
    this.#error = error;
    this.#wake.resolve();
  }

  async folder({ method, datastore, path, headers, body }: FolderRequest): Promise<FolderAnswer> {
    if (this.#error) throw this.#error;
    if (!this.#host.isReachable) throw new HostUnreachable(`${this.#host.address} does not answer`);
    const sent = body ? await buffer(body) : undefined;
    this.#host.transfers.push({ method, datastore, path, headers });
    const file = `[${datastore}] ${path}`;
    const content = this.#host.files.get(file);
    if (method === 'PUT') {
      this.#host.files.set(file, sent?.toString() ?? '');
      return answer(content === undefined ? 201 : 200, '');
    }
    if (path === '' && content === undefined) return answer(200, `page of ${file}`, { [FOLDER_PAGE_HEADER]: 'true' });
    if (content === undefined) return answer(404, `File ${file} was not found`);
    if (method === 'DELETE') this.#host.files.delete(file);
    return method === 'DELETE' ? answer(204, '') : answer(200, method === 'HEAD' ? '' : content);
  }

  async nfc({ lease, file, body }: NfcRequest): Promise<FolderAnswer> {
    this.#host.files.set(`nfc ${lease}/${file}`, (await buffer(body)).toString());
    return answer(200, '');
  }

  async *watch(
    ref: ManagedObjectReference,
    _paths: readonly string[],
    signal: AbortSignal,
  ): AsyncIterable<Readonly<Record<string, unknown>>> {
    const over = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => over.resolve(), { once: true });
    const lease = this.#host.leases.get(ref.value);
    if (!lease) throw new MethodFault('ManagedObjectNotFound', { obj: ref as never });
    yield { state: 'ready', info: lease.info };
    await Promise.race([over.promise, lease.failed.promise]);
    if (!signal.aborted) yield { state: 'error', error: make('LocalizedMethodFault', { fault: make('Timedout', {}) }) };
  }

  close(): void {}
}

/** Reaches the hosts of a test by their address; the password is 'right'. */
export class FakeDialer implements HostDialer {
  readonly hosts = new Map<string, FakeHost>();

  add(host: FakeHost): FakeHost {
    this.hosts.set(host.address, host);
    return host;
  }

  async introduce(
    target: HostTarget,
    { password }: { readonly password: string },
    { instanceUuid, force }: ManagementClaim,
  ): Promise<HostLink> {
    if (password !== 'right') throw new MethodFault('InvalidLogin');
    const host = this.hosts.get(target.address);
    host?.claim(instanceUuid, force);
    if (host) host.trustsCenter = true;
    return this.dial(target);
  }

  async part({ address }: HostTarget): Promise<void> {
    const host = this.hosts.get(address);
    if (!host?.isReachable) throw new HostUnreachable(`${address} does not answer`);
    host.trustsCenter = false;
  }

  async dial({ address }: HostTarget): Promise<HostLink> {
    const host = this.hosts.get(address);
    if (!host) throw new HostUnreachable(`${address} is not known`);
    return host.connect();
  }
}

function answer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): FolderAnswer {
  return { status, headers: { 'content-type': 'text/plain', ...headers }, body: Readable.from([Buffer.from(text)]) };
}
