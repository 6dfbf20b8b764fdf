// A session with one vSphere endpoint over VI/JSON.
// Source: Virtual Infrastructure JSON API: POST /sdk/vim25/{release}/{type}/{id}/{method}, GET for properties.
import {
  isA,
  type ManagedTypes,
  MethodFault,
  type Methods,
  type MoRef,
  moRef,
  type ObjectUpdate,
  type Properties,
  type PropertyFilterSpec,
  type ServiceContent,
  type TaskInfo,
} from '@vivarium/vim';
import { type JsonResponse, Transport, type TransportOptions } from './transport.ts';

const SESSION_HEADER = 'vmware-api-session-id';
const RELEASE = '9.0.0.0';

type MethodName<T extends keyof ManagedTypes> = keyof Methods<T, never> & string;
type ArgsOf<T extends keyof ManagedTypes, M extends MethodName<T>> = Methods<T, never>[M] extends (
  args: infer Args,
  call: never,
) => unknown
  ? Args
  : never;
type ResultOf<T extends keyof ManagedTypes, M extends MethodName<T>> = Methods<T, never>[M] extends (
  ...args: never[]
) => infer Result
  ? Awaited<Result>
  : never;

export class VimClient {
  readonly #transport: Transport;
  #session: string | undefined;
  #content: ServiceContent | undefined;

  constructor(options: TransportOptions) {
    this.#transport = new Transport(options);
  }

  /** The endpoint's singletons; asked once. */
  async content(): Promise<ServiceContent> {
    this.#content ??= (await this.call(
      moRef('ServiceInstance', 'ServiceInstance'),
      'RetrieveServiceContent',
      {} as never,
    )) as ServiceContent;
    return this.#content;
  }

  /** Throws the fault InvalidLogin. */
  async login(userName: string, password: string): Promise<void> {
    const { sessionManager } = await this.content();
    if (!sessionManager) throw new Error('the endpoint has no SessionManager');
    const path = `/sdk/vim25/${RELEASE}/SessionManager/${encodeURIComponent(sessionManager.value)}/Login`;
    const response = await this.#transport.send('POST', path, { body: { userName, password } });
    checkFault(response, 'Login');
    const session = response.headers[SESSION_HEADER];
    if (typeof session !== 'string') throw new Error('the endpoint answered Login without a session');
    this.#session = session;
  }

  async logout(): Promise<void> {
    const { sessionManager } = await this.content();
    if (sessionManager && this.#session) await this.call(sessionManager, 'Logout', {} as never);
    this.#session = undefined;
  }

  async call<T extends keyof ManagedTypes, M extends MethodName<T>>(
    target: MoRef<T>,
    method: M,
    args: ArgsOf<T, M>,
    options: { signal?: AbortSignal; idleTimeoutMs?: number } = {},
  ): Promise<ResultOf<T, M>> {
    const path = `/sdk/vim25/${RELEASE}/${target.type}/${encodeURIComponent(target.value)}/${method}`;
    const response = await this.#transport.send('POST', path, { body: args, headers: this.#headers(), ...options });
    checkFault(response, method);
    return response.body as ResultOf<T, M>;
  }

  /** One property of one object; `undefined` when it is unset. */
  async get<T extends keyof ManagedTypes, P extends keyof Properties<T> & string>(
    target: MoRef<T>,
    property: P,
  ): Promise<Properties<T>[P] | undefined> {
    const path = `/sdk/vim25/${RELEASE}/${target.type}/${encodeURIComponent(target.value)}/${property}`;
    const response = await this.#transport.send('GET', path, { headers: this.#headers() });
    if (response.status === 204) return undefined;
    checkFault(response, property);
    return response.body as Properties<T>[P];
  }

  /** Waits for the task's end; throws its fault when it fails. */
  async waitForTask(
    task: MoRef<'Task'>,
    options: { signal?: AbortSignal; onProgress?: (percent: number) => void } = {},
  ) {
    const spec: PropertyFilterSpec = {
      propSet: [{ type: 'Task', pathSet: ['info'] }],
      objectSet: [{ obj: task }],
    };
    for await (const updates of this.watch(spec, options.signal ? { signal: options.signal } : {})) {
      for (const update of updates) {
        const info = update.changeSet?.find((change) => change.name === 'info')?.val;
        if (!isA('TaskInfo', info)) continue;
        if (info.progress !== undefined) options.onProgress?.(info.progress);
        if (info.state === 'success') return unboxed(info);
        if (info.state === 'error') throw faultOf(info.error?.fault, info.error?.localizedMessage);
      }
    }
    throw new Error('the endpoint stopped answering before the task ended');
  }

  /** What `spec` selects, as one stream of changes: first everything, then what changes. Ends with the signal. */
  async *watch(spec: PropertyFilterSpec, options: { signal?: AbortSignal } = {}): AsyncGenerator<ObjectUpdate[]> {
    const root = (await this.content()).propertyCollector;
    const collector = await this.call(root, 'CreatePropertyCollector', {} as never);
    try {
      await this.call(collector, 'CreateFilter', { spec, partialUpdates: false });
      let version = '';
      for (;;) {
        const set = await this.call(
          collector,
          'WaitForUpdatesEx',
          { version, options: { maxWaitSeconds: 300 } },
          { idleTimeoutMs: 400_000, ...(options.signal ? { signal: options.signal } : {}) },
        );
        if (!set) continue;
        version = set.version;
        for (const filter of set.filterSet ?? []) yield filter.objectSet ?? [];
      }
    } finally {
      await this.call(collector, 'DestroyPropertyCollector', {} as never).catch(() => undefined);
    }
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

  close(): void {
    this.#transport.close();
  }

  #headers(): Record<string, string> {
    return this.#session ? { [SESSION_HEADER]: this.#session } : {};
  }
}

function unboxed(info: TaskInfo): unknown {
  const result = info.result;
  return typeof result === 'object' && result !== null && '_value' in result ? result._value : result;
}

function checkFault(response: JsonResponse, what: string): void {
  if (response.status < 300) return;
  if (typeof response.body === 'object' && response.body !== null) throw faultOf(response.body);
  throw new Error(`${what}: HTTP ${response.status}`);
}

/** A fault that came over the wire as the error that it was on the other side. */
export function faultOf(fault: unknown, message?: string): MethodFault {
  return MethodFault.from(typeof fault === 'object' && fault !== null ? fault : {}, message);
}
