// One host's connection over time. Dials, follows what the host tells, dials again when the connection is lost.
//
//              dial works                 connection lost
//  connecting ───────────▶ connected ────────────────────▶ notResponding
//      ▲                       │  ▲         dial works           │  │ waits, dials again
//      │                       │  └────────────────────────────-─┘  ▲
//      └── connect ── disconnected ◀── disconnect (an administrator), ┘
//                                      or another vCenter has taken the host
//
import { type Clock, delay, type Logger, Mutex, type Random } from '@vivarium/base';
import { isFault, MethodFault, type MoRef } from '@vivarium/vim';
import type { HostDialer, HostLink, HostTarget } from '../host-link/host-link.ts';
import type { HostMirror } from '../host-sync/host-mirror.ts';
import type { ConnectGate } from './connect-gate.ts';
import { retryPauseMs, spread } from './retry-pause.ts';

export type ConnectionState = 'connecting' | 'connected' | 'notResponding' | 'disconnected';

const PAUSES = { firstMs: 500, longestMs: 15_000 };

export interface HostSessionOptions {
  readonly host: MoRef<'HostSystem'>;
  readonly target: () => HostTarget;
  readonly dialer: HostDialer;
  readonly gate: ConnectGate;
  /** Tells the host again whose it is. Fault: AlreadyBeingManaged, by another vCenter. */
  readonly claim: (link: HostLink) => Promise<void>;
  /** Another vCenter has the host now. */
  readonly taken: (fault: MethodFault<'AlreadyBeingManaged'>) => Promise<void>;
  readonly mirror: HostMirror;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly stateChanged: (state: ConnectionState, former: ConnectionState) => void;
  /** The link of a session that has begun: who wants to know more of the host (its events) asks it. */
  readonly begun: (link: HostLink, signal: AbortSignal) => void;
}

export class HostSession {
  readonly mirror: HostMirror;
  readonly #options: HostSessionOptions;
  #state: ConnectionState = 'disconnected';
  /** Why there is no connection, as it was logged. */
  #failure: string | undefined;
  #link: HostLink | undefined;
  #ending: AbortController | undefined;
  #ended: Promise<void> = Promise.resolve();
  /** Resolved at the next `connected`, rejected at the next failure. */
  #settled = Promise.withResolvers<void>();
  readonly #changes = new Mutex();

  constructor(options: HostSessionOptions) {
    this.#options = options;
    this.mirror = options.mirror;
    this.#settled.promise.catch(() => undefined);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Fault: HostNotConnected. */
  get link(): HostLink {
    if (!this.#link || this.#state !== 'connected') throw new MethodFault('HostNotConnected');
    return this.#link;
  }

  /** As `link`, but while the first news are still being taken in. */
  mirrorLink(): HostLink {
    if (!this.#link) throw new MethodFault('HostNotConnected');
    return this.#link;
  }

  /** Connecting, disconnecting and removing a host take turns. Not re-entrant. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#changes.run(work);
  }

  /** Begins to connect, now; `link` is one that is there already (the host was just added). */
  connect(link?: HostLink): void {
    this.#begin({ link, waits: false });
  }

  /** As connect, when it is its turn among others. */
  connectInTurn(): void {
    this.#begin({ link: undefined, waits: true });
  }

  #begin({ link, waits }: { readonly link: HostLink | undefined; readonly waits: boolean }): void {
    if (this.#ending) return;
    const ending = new AbortController();
    this.#ending = ending;
    this.#become('connecting');
    this.#ended = this.#live(ending.signal, link, waits);
  }

  /** Resolves when everything that the host has is in the inventory; rejects when the attempt fails. */
  whenConnected(): Promise<void> {
    return this.#state === 'connected' ? Promise.resolve() : this.#settled.promise;
  }

  /** Ends the connection; what was known last is shown as disconnected. */
  async disconnect(): Promise<void> {
    this.#ending?.abort();
    this.#ending = undefined;
    this.#link?.close();
    await this.#ended;
    if (this.#state === 'disconnected') return;
    this.#become('disconnected');
    this.mirror.lost('disconnected');
  }

  async #live(signal: AbortSignal, given: HostLink | undefined, waitsAtFirst: boolean): Promise<void> {
    const { clock, random, gate } = this.#options;
    let link = given;
    let lostMs: number | undefined;
    let waits = waitsAtFirst;
    while (!signal.aborted) {
      let leave: (() => void) | undefined;
      try {
        if (waits) leave = await gate.enter(signal);
        link ??= await this.#dial();
        await this.#follow(link, signal, () => {
          lostMs = undefined;
          leave?.();
        });
      } catch (error) {
        if (signal.aborted) break;
        if (isFault(error, 'AlreadyBeingManaged')) {
          this.#giveUp(error);
          break;
        }
        this.#fail(error);
      } finally {
        leave?.();
      }
      waits = true;
      link?.close();
      link = undefined;
      this.#link = undefined;
      lostMs ??= clock.monotonic();
      const pauseMs = spread(retryPauseMs(clock.monotonic() - lostMs, PAUSES), random);
      if (!signal.aborted) await delay(clock, pauseMs, signal).catch(() => undefined);
    }
    link?.close();
    this.#link = undefined;
  }

  async #dial(): Promise<HostLink> {
    const { dialer, target, claim } = this.#options;
    const link = await dialer.dial(target());
    try {
      await claim(link);
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /** Nobody dials any more, until an administrator wants it. */
  #giveUp(fault: MethodFault<'AlreadyBeingManaged'>): void {
    const { taken, host, log } = this.#options;
    this.#ending = undefined;
    this.#settled.reject(fault);
    this.#renew();
    this.#become('disconnected');
    this.mirror.lost('disconnected');
    taken(fault).catch((error: unknown) =>
      log.warn({ host: host.value, err: error }, 'that a host is another vCenter’s is not kept'),
    );
  }

  #renew(): void {
    this.#settled = Promise.withResolvers<void>();
    this.#settled.promise.catch(() => undefined);
  }

  async #follow(link: HostLink, signal: AbortSignal, isWell: () => void): Promise<void> {
    const { mirror, begun } = this.#options;
    mirror.begin();
    this.#link = link;
    for await (const news of link.updates(signal)) {
      await mirror.apply(news);
      if (this.#state === 'connected' || news.isPartial) continue;
      isWell();
      this.#failure = undefined;
      this.#become('connected');
      this.#settled.resolve();
      begun(link, signal);
    }
  }

  #fail(error: unknown): void {
    const { log, host } = this.#options;
    // What is not there for days is tried every few seconds: told once, and again when it is something else.
    const why = error instanceof Error ? error.message : String(error);
    if (why !== this.#failure) log.warn({ host: host.value, err: error }, 'the connection to a host is lost');
    this.#failure = why;
    this.#settled.reject(error);
    this.#renew();
    if (this.#state !== 'notResponding') this.mirror.lost('notResponding');
    this.#become('notResponding');
  }

  #become(state: ConnectionState): void {
    const former = this.#state;
    if (state === former) return;
    this.#state = state;
    if (former === 'connected') this.#renew();
    this.#options.stateChanged(state, former);
  }
}
