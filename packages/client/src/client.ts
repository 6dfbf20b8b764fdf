// A session with one vSphere endpoint over VI/JSON.
// Source: Virtual Infrastructure JSON API: POST /sdk/vim25/{release}/{type}/{id}/{method}, GET for properties.
import {
  isA,
  isFault,
  type ManagedTypes,
  type MoRef,
  moRef,
  type ObjectUpdate,
  type Properties,
  type PropertyFilterSpec,
  type ServiceContent,
  unbox,
} from '@vivarium/vim';
import type { ArgsOf, MethodName, ResultOf } from './method-types.ts';
import {
  type SendOptions,
  type TransferAnswer,
  type TransferOptions,
  Transport,
  type TransportOptions,
} from './transport.ts';
import { type StreamEvent, type StreamOptions, updateStream } from './update-stream.ts';
import { checkFault, faultOf } from './wire-fault.ts';

const SESSION_HEADER = 'vmware-api-session-id';
const RELEASE = '9.0.0.0';

/** The extension under which a vCenter logs in to its hosts by certificate. */
export const VCENTER_EXTENSION_KEY = 'com.vmware.vim';

export interface VimClientOptions extends TransportOptions {
  /**
   * Logs in again, once a call, when the endpoint says that the session has ended (it was idle, the endpoint was restarted).
   * The password of the last login is kept in memory for it.
   */
  readonly renewsSession?: boolean;
}

export interface CallOptions extends Omit<SendOptions, 'body' | 'headers'> {
  /** False: NotAuthenticated is thrown, as there is something of the old session that a new one would not have. */
  readonly renews?: boolean;
}

type Login =
  | { readonly method: 'Login'; readonly args: { readonly userName: string; readonly password: string } }
  | { readonly method: 'LoginExtensionByCertificate'; readonly args: { readonly extensionKey: string } };

/**
 * Every call rejects with the endpoint's MethodFault, with ConnectionLost when there is no answer, with UntrustedPeer when
 * the endpoint is not the one to trust, or with the signal's reason.
 */
export class VimClient {
  readonly #transport: Transport;
  readonly #renewsSession: boolean;
  #session: string | undefined;
  #login: Login | undefined;
  #renewing: Promise<void> | undefined;
  #content: ServiceContent | undefined;

  constructor(options: VimClientOptions) {
    this.#transport = new Transport(options);
    this.#renewsSession = options.renewsSession ?? false;
  }

  /** The secret of the session; undefined without a login. */
  get session(): string | undefined {
    return this.#session;
  }

  /** The endpoint's singletons; asked once. */
  async content(): Promise<ServiceContent> {
    this.#content ??= await this.call(
      moRef('ServiceInstance', 'ServiceInstance'),
      'RetrieveServiceContent',
      {} as never,
      { renews: false, isRepeatable: true },
    );
    return this.#content;
  }

  /** Throws the fault InvalidLogin. */
  login(userName: string, password: string): Promise<void> {
    return this.#enter({ method: 'Login', args: { userName, password } });
  }

  /** By the certificate that the client shows (`identity`). Throws the faults InvalidLogin and NoClientCertificate. */
  loginByCertificate(extensionKey: string = VCENTER_EXTENSION_KEY): Promise<void> {
    return this.#enter({ method: 'LoginExtensionByCertificate', args: { extensionKey } });
  }

  async logout(): Promise<void> {
    this.#login = undefined;
    const { sessionManager } = await this.content();
    if (sessionManager && this.#session) await this.call(sessionManager, 'Logout', {} as never);
    this.#session = undefined;
  }

  /**
   * A new session by the last login's means, unless somebody has made one since `stale`. False when the client does not know
   * how. Throws what the login throws.
   */
  async renewSession(stale: string | undefined): Promise<boolean> {
    const login = this.#login;
    if (!login) return false;
    if (this.#session !== stale) return true;
    this.#renewing ??= this.#enter(login).finally(() => (this.#renewing = undefined));
    await this.#renewing;
    return true;
  }

  async call<T extends keyof ManagedTypes, M extends MethodName<T>>(
    target: MoRef<T>,
    method: M,
    args: ArgsOf<T, M>,
    options: CallOptions = {},
  ): Promise<ResultOf<T, M>> {
    const body = await this.#send('POST', target, method, { ...options, body: args });
    return body as ResultOf<T, M>;
  }

  /** One property of one object; `undefined` when it is unset. */
  async get<T extends keyof ManagedTypes, P extends keyof Properties<T> & string>(
    target: MoRef<T>,
    property: P,
    options: CallOptions = {},
  ): Promise<Properties<T>[P] | undefined> {
    const body = await this.#send('GET', target, property, { isRepeatable: true, ...options });
    return body as Properties<T>[P] | undefined;
  }

  /** Waits for the task's end; throws its fault when it fails. For many tasks at once there is TaskFollower. */
  async waitForTask(
    task: MoRef<'Task'>,
    options: { signal?: AbortSignal; onProgress?: (percent: number) => void } = {},
  ): Promise<unknown> {
    const { signal, onProgress } = options;
    const spec: PropertyFilterSpec = {
      propSet: [{ type: 'Task', pathSet: ['info'] }],
      objectSet: [{ obj: task }],
    };
    for await (const updates of this.watch(spec, signal ? { signal } : {})) {
      for (const update of updates) {
        const info = update.changeSet?.find((change) => change.name === 'info')?.val;
        if (!isA('TaskInfo', info)) continue;
        if (info.progress !== undefined) onProgress?.(info.progress);
        if (info.state === 'success') return unbox(info.result);
        if (info.state === 'error') throw faultOf(info.error?.fault, info.error?.localizedMessage);
      }
    }
    signal?.throwIfAborted();
    throw new Error('the endpoint stopped answering before the task ended');
  }

  /**
   * What `spec` selects: first everything, then what changes. Ends with the signal; throws when the connection or the session
   * is lost. For streams that outlive both there is `stream`.
   */
  async *watch(
    spec: PropertyFilterSpec,
    options: { readonly signal?: AbortSignal; readonly partialUpdates?: boolean } = {},
  ): AsyncGenerator<readonly ObjectUpdate[], void> {
    const { signal, partialUpdates = false } = options;
    const events = this.stream({
      filters: () => Promise.resolve([{ spec, partialUpdates }]),
      maxWaitSeconds: 300,
      ...(signal ? { signal } : {}),
    });
    for await (const event of events) if (event.kind === 'updates') yield event.objects;
  }

  /** See updateStream. */
  stream(options: StreamOptions): AsyncGenerator<StreamEvent, void> {
    return updateStream(this, options);
  }

  /**
   * Puts a file on a datastore through the endpoint's /folder door. `path` is relative to the datastore, e.g.
   * `demo/seed.iso`; its folder must exist. Throws when the endpoint refuses.
   */
  async upload(
    place: { readonly datacenter: string; readonly datastore: string; readonly path: string },
    content: NodeJS.ReadableStream,
    length: number,
    onProgress?: (sentBytes: number) => void,
  ): Promise<void> {
    const name = place.path.split('/').map(encodeURIComponent).join('/');
    const query = new URLSearchParams({ dcPath: place.datacenter, dsName: place.datastore });
    const status = await this.#transport.upload(`/folder/${name}?${query}`, content, length, {
      headers: { ...this.#headers(), 'content-type': 'application/octet-stream' },
      ...(onProgress ? { onProgress } : {}),
    });
    if (status >= 300) throw new Error(`the host refused ${place.path}: HTTP ${status}`);
  }

  /**
   * A request below the endpoint's /folder door, streamed both ways; `path` with its query, percent-encoded. Without a body it
   * is asked again when the session had to be renewed. Rejects as call does; a refusal is an answer with its status.
   */
  async folder(method: string, path: string, options: TransferOptions = {}): Promise<TransferAnswer> {
    if (!path.startsWith('/folder')) throw new Error(`${path} is not below /folder`);
    return this.#transfer(method, path, options);
  }

  /** A file for an import that is under way, to the endpoint's /nfc door; the lease's secret is in `path`. Rejects and answers as `folder`. */
  nfc(path: string, options: TransferOptions): Promise<TransferAnswer> {
    return this.#transfer('POST', `/nfc/${path}`, options);
  }

  /** A picture of a running VM's screen, PNG, by the endpoint's /screen door. Rejects and answers as `folder`. */
  screen({ value }: MoRef<'VirtualMachine'>, options: TransferOptions = {}): Promise<TransferAnswer> {
    return this.#transfer('GET', `/screen?${new URLSearchParams({ id: value })}`, options);
  }

  close(): void {
    this.#transport.close();
  }

  async #transfer(method: string, path: string, options: TransferOptions): Promise<TransferAnswer> {
    const session = this.#session;
    const exchange = () =>
      this.#transport.transfer(method, path, { ...options, headers: { ...options.headers, ...this.#headers() } });
    const answer = await exchange();
    if (answer.status !== 401 || options.body || !(await this.renewSession(session))) return answer;
    answer.body.destroy();
    return exchange();
  }

  async #enter(login: Login): Promise<void> {
    const { sessionManager } = await this.content();
    if (!sessionManager) throw new Error('the endpoint has no SessionManager');
    const { method, args } = login;
    const path = pathOf(sessionManager, method);
    const response = await this.#transport.send('POST', path, { body: args });
    checkFault(response, method);
    const session = response.headers[SESSION_HEADER];
    if (typeof session !== 'string') throw new Error(`the endpoint answered ${method} without a session`);
    this.#session = session;
    if (this.#renewsSession) this.#login = login;
  }

  async #send(
    verb: 'GET' | 'POST',
    target: MoRef,
    member: string,
    { renews = true, ...options }: SendOptions & CallOptions,
  ): Promise<unknown> {
    const session = this.#session;
    const exchange = async () => {
      const response = await this.#transport.send(verb, pathOf(target, member), {
        ...options,
        headers: this.#headers(),
      });
      checkFault(response, member);
      return response.body;
    };
    try {
      return await exchange();
    } catch (error) {
      if (!renews || !isFault(error, 'NotAuthenticated') || !(await this.renewSession(session))) throw error;
      return exchange();
    }
  }

  #headers(): Record<string, string> {
    return this.#session ? { [SESSION_HEADER]: this.#session } : {};
  }
}

function pathOf(target: MoRef, member: string): string {
  return `/sdk/vim25/${RELEASE}/${target.type}/${encodeURIComponent(target.value)}/${member}`;
}
