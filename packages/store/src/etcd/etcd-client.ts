// Calls to an etcd cluster: one member is asked at a time; when it fails, the next one is. Logs in when told how.
import type { SecureContextOptions } from 'node:tls';
import { MessageChannel } from 'node:worker_threads';
import { type Clock, delay } from '@vivarium/base';
import { StoreClosed, StoreError, StoreFull, StoreUnavailable } from '../errors.ts';
import { GrpcError, grpcStatus } from './grpc-error.ts';
import { type GrpcStream, MemberConnection, type StreamEvents } from './member-connection.ts';
import {
  AlarmRequest,
  AlarmResponse,
  AuthenticateRequest,
  AuthenticateResponse,
  CompactionRequest,
  Empty,
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
  LeaseRevokeRequest,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
} from './messages.ts';
import type { Message } from './protobuf.ts';

/** Longest pause between two tries. */
const MOST_BACKOFF_MS = 400;

interface Method<Q, A> {
  readonly path: string;
  readonly request: Message<Q>;
  readonly answer: Message<A>;
}

const method = <Q, A>(path: string, request: Message<Q>, answer: Message<A>): Method<Q, A> => ({
  path: `/etcdserverpb.${path}`,
  request,
  answer,
});

export const methods = {
  range: method('KV/Range', RangeRequest, RangeResponse),
  txn: method('KV/Txn', TxnRequest, TxnResponse),
  compact: method('KV/Compact', CompactionRequest, Empty),
  leaseGrant: method('Lease/LeaseGrant', LeaseGrantRequest, LeaseGrantResponse),
  leaseRevoke: method('Lease/LeaseRevoke', LeaseRevokeRequest, Empty),
  leaseKeepAlive: method('Lease/LeaseKeepAlive', LeaseKeepAliveRequest, LeaseKeepAliveResponse),
  alarm: method('Maintenance/Alarm', AlarmRequest, AlarmResponse),
  defragment: method('Maintenance/Defragment', Empty, Empty),
};
const authenticate = method('Auth/Authenticate', AuthenticateRequest, AuthenticateResponse);
const WATCH = '/etcdserverpb.Watch/Watch';

export interface EtcdClientOptions {
  /** http://host:port or https://host:port of every member. */
  readonly urls: readonly string[];
  readonly tls: SecureContextOptions;
  readonly login?: { readonly user: string; readonly password: string };
  readonly clock: Clock;
  /** For one try with one member. */
  readonly attemptMs: number;
}

export class EtcdClient {
  readonly #members: readonly MemberConnection[];
  readonly #login: EtcdClientOptions['login'];
  readonly #clock: Clock;
  readonly #attemptMs: number;
  readonly #closed = new AbortController();
  /** Keeps the process alive until the client is closed, as a socket would: a clock's timers do not. */
  readonly #alive = new MessageChannel();
  #current = 0;
  #token: string | undefined;

  constructor({ urls, tls, login, clock, attemptMs }: EtcdClientOptions) {
    this.#members = urls.map((url) => new MemberConnection(url, tls, clock));
    this.#login = login;
    this.#clock = clock;
    this.#attemptMs = attemptMs;
    this.#alive.port1.on('message', () => undefined);
  }

  get memberCount(): number {
    return this.#members.length;
  }

  /** One try with the member of the moment, or with the one named. Rejects with GrpcError or StoreClosed. */
  async attempt<Q, A>(call: Method<Q, A>, request: Partial<Q>, options: CallOptions = {}): Promise<A> {
    if (this.#closed.signal.aborted) throw closed();
    const index = options.member ?? this.#current;
    const timeoutMs = options.timeoutMs ?? this.#attemptMs;
    try {
      if (this.#login && !this.#token) this.#token = await this.#logIn(index, this.#login, timeoutMs);
      const answer = await this.#member(index).unary(
        call.path,
        call.request.encode(request),
        this.#token ? { token: this.#token } : {},
        timeoutMs,
      );
      return call.answer.decode(answer);
    } catch (error) {
      if (this.#closed.signal.aborted) throw closed();
      if (error instanceof GrpcError && error.code === grpcStatus.unauthenticated) this.#token = undefined;
      if (isPassing(error)) this.leave(index);
      throw error;
    }
  }

  /**
   * Tries members in turn until one answers or the deadline has passed. For calls that may be made twice. Rejects with
   * StoreUnavailable, StoreFull, StoreClosed or StoreError.
   */
  async call<Q, A>(call: Method<Q, A>, request: Partial<Q>, timeoutMs: number): Promise<A> {
    const deadline = this.#clock.monotonic() + timeoutMs;
    for (let tries = 0; ; tries++) {
      const rest = deadline - this.#clock.monotonic();
      try {
        return await this.attempt(call, request, { timeoutMs: Math.max(1, Math.min(this.#attemptMs, rest)) });
      } catch (error) {
        if (!isPassing(error)) throw toStoreError(call.path, error);
        if (this.#clock.monotonic() + backoffMs(tries) >= deadline) {
          throw new StoreUnavailable(`${call.path}: no answer from etcd`, 'unknown', { cause: error });
        }
        await this.pause(backoffMs(tries));
      }
    }
  }

  /** A watch stream to the member of the moment, which ends when that member knows of no leader. */
  async watch(events: (member: number) => StreamEvents): Promise<MemberStream> {
    const member = this.#current;
    if (this.#login && !this.#token) this.#token = await this.#logIn(member, this.#login, this.#attemptMs);
    const metadata = { hasleader: 'true', ...(this.#token ? { token: this.#token } : {}) };
    return { member, stream: this.#member(member).stream(WATCH, metadata, events(member)) };
  }

  /** Asks another member from now on, unless that has happened already. */
  leave(member: number): void {
    if (member === this.#current) this.#current = (member + 1) % this.#members.length;
  }

  forgetToken(): void {
    this.#token = undefined;
  }

  /** Notices a member that is gone without a word. */
  probe(member: number): void {
    this.#member(member).probe(this.#attemptMs);
  }

  /** Rejects with StoreClosed when the client is closed meanwhile. */
  async pause(ms: number): Promise<void> {
    await delay(this.#clock, ms, this.#closed.signal);
  }

  close(): void {
    this.#closed.abort(closed());
    for (const member of this.#members) member.close();
    this.#alive.port1.close();
  }

  async #logIn(index: number, login: { user: string; password: string }, timeoutMs: number): Promise<string> {
    const request = authenticate.request.encode({ name: login.user, password: login.password });
    const answer = await this.#member(index).unary(authenticate.path, request, {}, timeoutMs);
    return authenticate.answer.decode(answer).token;
  }

  #member(index: number): MemberConnection {
    const member = this.#members[index];
    if (!member) throw new StoreError(`no member ${index}`);
    return member;
  }
}

export interface MemberStream {
  readonly member: number;
  readonly stream: GrpcStream;
}

interface CallOptions {
  readonly timeoutMs?: number;
  readonly member?: number;
}

export function backoffMs(tries: number): number {
  return Math.min(MOST_BACKOFF_MS, 25 * 2 ** tries);
}

/** Whether another try, perhaps with another member, may succeed. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof GrpcError)) return false;
  const { code, message } = error;
  if (code === grpcStatus.resourceExhausted) return message.includes('too many requests');
  // 1, 2, 13: what gRPC makes of a broken connection, a server that stops, a proposal that was dropped.
  return [1, 2, grpcStatus.deadlineExceeded, 13, grpcStatus.unavailable, grpcStatus.unauthenticated].includes(code);
}

export function isNoSpace(error: unknown): boolean {
  return error instanceof GrpcError && error.code === grpcStatus.resourceExhausted && error.message.includes('space');
}

export function toStoreError(what: string, error: unknown): Error {
  if (!(error instanceof GrpcError)) return error instanceof Error ? error : new StoreError(String(error));
  const message = `${what}: ${error.message}`;
  if (isNoSpace(error)) return new StoreFull(message, { cause: error });
  return new StoreError(message, { cause: error });
}

function closed(): StoreClosed {
  return new StoreClosed('the store is closed');
}
