// Opens vCenter's store and resolves when this vpxd leads. In an embedded store it does so at once: no other process can have it
// open. With etcd it may have to wait for the one that leads to go; meanwhile it answers on its address that it stands by.
import { type Clock, delay, type Logger } from '@vivarium/base';
import {
  HistoryGone,
  type Lease,
  LockHeld,
  openStore,
  parseStoreUrl,
  type Store,
  StoreError,
  StoreFull,
  StoreUnavailable,
} from '@vivarium/store';
import {
  AUTHORITY,
  ensureCertificates,
  findServerCertificate,
  type KeyPair,
} from '../certificates/certificate-authority.ts';
import { openStandBy, type StandBy } from './stand-by.ts';

/** The lock whose holder leads. */
export const LEADER = 'vpxd';
const RETRY_MS = 1_000;

export interface Lead extends AsyncDisposable {
  /** Its writes are committed only while this vpxd leads. */
  readonly store: Store;
  /** Undefined where nobody else can lead. */
  readonly lease: Lease | undefined;
  /** Still answers on our address: close it when the one that answers for good can listen. */
  readonly standBy: StandBy | undefined;
}

export interface LeadOptions {
  readonly url: string;
  readonly certificates: string;
  readonly listen: { readonly address: string; readonly port: number };
  /** Where clients find this vCenter, for those that ask one that stands by. */
  readonly ownUrl: string;
  /** It led or stood by before: the store is waited for, too. Otherwise one that does not answer is an error. */
  readonly isAgain: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the waiting. */
  readonly signal: AbortSignal | undefined;
  /** Hears that this vpxd stands by, and on which port. */
  readonly standsBy: (port: number) => Promise<void>;
}

/** Rejects with StoreError and its kin, or with the signal's reason. */
export async function takeLead(options: LeadOptions): Promise<Lead> {
  await using undo = new AsyncDisposableStack();
  const state: { store?: Store; leads?: true } = {};
  const isShared = parseStoreUrl(options.url).engine === 'etcd';
  const waiting = new Waiting(options, () => whyNotServing(state));
  undo.defer(() => waiting.close());
  if (options.isAgain && isShared) await waiting.answerAsBefore();
  const opened = await (options.isAgain ? openPatiently(options) : openStore(options.url));
  state.store = opened;
  undo.defer(() => opened.close());
  const lease = isShared ? await lead(opened, options, waiting) : undefined;
  state.leads = true;
  const stack = undo.move();
  return {
    store: lease ? opened.guard(lease) : opened,
    lease,
    standBy: waiting.standBy,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function lead(store: Store, options: LeadOptions, waiting: Waiting): Promise<Lease> {
  const { ownUrl, signal, log } = options;
  const request = { holder: { url: ownUrl }, ...(signal && { signal }) };
  try {
    return await store.lock(LEADER, { ...request, wait: false });
  } catch (error) {
    const isLater = error instanceof LockHeld || (options.isAgain && isPassing(error));
    if (!isLater) throw error;
  }
  log.info({ leader: store.lockHolder(LEADER)?.holder }, 'vpxd stands by');
  const leading = lockPatiently(store, options);
  leading.catch(() => undefined); // it is awaited below
  const authority = await Promise.race([authorityIn(store), leading.then(() => undefined)]);
  if (authority) await waiting.answer(authority);
  return leading;
}

/** The server that answers meanwhile, once it can. */
class Waiting {
  readonly #options: LeadOptions;
  readonly #why: () => string;
  #standBy: StandBy | undefined;

  constructor(options: LeadOptions, why: () => string) {
    this.#options = options;
    this.#why = why;
  }

  get standBy(): StandBy | undefined {
    return this.#standBy;
  }

  /** With the certificate of before: the store cannot be asked yet. */
  async answerAsBefore(): Promise<void> {
    const { certificates, clock } = this.#options;
    const tls = await findServerCertificate(certificates, clock);
    if (tls) await this.#open(tls);
  }

  async answer(authority: KeyPair): Promise<void> {
    const { certificates, clock } = this.#options;
    const { server } = await ensureCertificates(certificates, authority, clock);
    if (!this.#standBy) await this.#open({ ...server, authority: authority.certificate });
  }

  async close(): Promise<void> {
    await this.#standBy?.close();
  }

  async #open(tls: KeyPair & { readonly authority: string }): Promise<void> {
    this.#standBy = await openStandBy({ listen: this.#options.listen, tls, why: this.#why });
    await this.#options.standsBy(this.#standBy.port);
  }
}

function whyNotServing({ store, leads }: { readonly store?: Store; readonly leads?: true }): string {
  if (leads) return 'this vCenter is starting.';
  if (!store || store.isStale) return 'this vCenter cannot reach its state.';
  const holder = store.lockHolder(LEADER)?.holder as { readonly url?: string } | null | undefined;
  return holder?.url
    ? `this vCenter stands by, and the one at ${holder.url} leads.`
    : 'this vCenter stands by, and another leads.';
}

async function openPatiently({ url, clock, log, signal }: LeadOptions): Promise<Store> {
  for (let tries = 0; ; tries++) {
    try {
      return await openStore(url);
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (tries === 0) log.warn({ err: error }, 'the store does not answer: trying again until it does');
      await delay(clock, RETRY_MS, signal);
    }
  }
}

async function lockPatiently(store: Store, { ownUrl, clock, log, signal }: LeadOptions): Promise<Lease> {
  for (let tries = 0; ; tries++) {
    try {
      return await store.lock(LEADER, { holder: { url: ownUrl }, ...(signal && { signal }) });
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (tries === 0) log.warn({ err: error }, 'there is no place in the line of those that stand by: trying again');
      await delay(clock, RETRY_MS, signal);
    }
  }
}

function isPassing(error: unknown): error is StoreError {
  return error instanceof StoreUnavailable || error instanceof StoreFull;
}

/** Resolves when some vpxd has made it. */
async function authorityIn(store: Store): Promise<KeyPair> {
  for (;;) {
    const changes = store.watch(AUTHORITY);
    const known = store.get<KeyPair>(AUTHORITY)?.value;
    if (known) {
      await changes.return?.();
      return known;
    }
    try {
      for await (const change of changes) if (change.kind === 'put') return change.value as KeyPair;
      throw new StoreError('the store was closed');
    } catch (error) {
      if (!(error instanceof HistoryGone)) throw error;
    }
  }
}
