// The lease of one import, as clients see it: it stands for the lease of the host that makes the VM, and follows it. As long as it
// is ready, nobody else does anything to the VM.
//
//   initializing ──the host's is ready, and the VM is in the inventory──▶ ready ──Complete──▶ done
//        └────────────────── the host's ends, the host is gone, Abort ─────┴─────────────────▶ error
import {
  type Handlers,
  type HttpNfcLeaseInfo,
  type LocalizedMethodFault,
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  make,
  toLocalizedMethodFault,
} from '@vivarium/vim';
import type { Call, ManagedObject, TaskHandle } from '@vivarium/vmomi';
import { type HostLink, HostUnreachable } from '../host-link/host-link.ts';
import type { ReferenceMap } from '../host-sync/reference-map.ts';

export interface HostLease {
  readonly link: HostLink;
  readonly local: ManagedObjectReference;
  readonly refs: ReferenceMap;
  /** Resolves when it is so, or was long in coming; rejects with the signal. */
  readonly whenShown: (isShown: () => boolean, signal: AbortSignal) => Promise<void>;
}

export class ImportLease {
  /** Secret part of the URLs: whoever knows it may send. */
  readonly token: string;
  readonly #over = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #task: TaskHandle | undefined;
  #object: ManagedObject<'HttpNfcLease'> | undefined;
  #host: HostLease | undefined;
  /** The host's secret, and the files that it takes. */
  #target: { readonly token: string; readonly files: ReadonlySet<string> } | undefined;

  readonly #door: string;

  /** `door`: where clients send disks, as a URL whose host they know: 'https://*'. */
  constructor(token: string, door: string) {
    this.token = token;
    this.#door = door;
    this.#ended.promise.catch(() => undefined);
  }

  /** Of the import: ends as the lease does; who cancels it aborts the lease. */
  carry(task: TaskHandle): Promise<void> {
    this.#task = task;
    task.signal.addEventListener('abort', () => this.abort(), { once: true });
    return this.#ended.promise;
  }

  /** Fault: TaskInProgress, when this is its VM, and its disks are still arriving. */
  requireNotOf(vm: MoRef<'VirtualMachine'>): void {
    if (this.#state !== 'ready' || this.#object?.get('info')?.entity.value !== vm.value || !this.#task) return;
    throw new MethodFault('TaskInProgress', { task: this.#task.ref });
  }

  attach(object: ManagedObject<'HttpNfcLease'>): void {
    this.#object = object;
  }

  /** Where a file goes on the host; undefined when the lease takes none of that name, or no more. */
  targetOf(
    file: string,
  ): { readonly link: HostLink; readonly lease: string; readonly signal: AbortSignal } | undefined {
    if (!this.#host || !this.#target?.files.has(file) || this.#state !== 'ready') return undefined;
    return { link: this.#host.link, lease: this.#target.token, signal: this.#over.signal };
  }

  /** Until the host's lease has ended. Rejects when the host is gone. */
  async follow(host: HostLease): Promise<void> {
    this.#host = host;
    if (this.#over.signal.aborted) await this.#tellAborted(host);
    const { link, local, refs } = host;
    const paths = ['state', 'info', 'error', 'initializeProgress'];
    let info: HttpNfcLeaseInfo | undefined;
    for await (const said of link.watch(local, paths, this.#over.signal)) {
      info = (said['info'] as HttpNfcLeaseInfo | undefined) ?? info;
      if (said['initializeProgress'] !== undefined)
        this.#object?.set('initializeProgress', said['initializeProgress'] as number);
      if (said['state'] === 'ready' && info) await this.#ready(host, info);
      if (said['state'] === 'done') return;
      if (said['state'] === 'error') {
        const error = said['error'] as LocalizedMethodFault | undefined;
        throw refs.faultToCenter(MethodFault.from(error?.fault ?? {}, error?.localizedMessage));
      }
    }
  }

  failed(error: unknown): void {
    if (this.#state === 'done' || this.#state === 'error') return;
    const fault =
      error instanceof HostUnreachable
        ? new MethodFault('HostCommunication', {}, `The host does not answer: ${error.message}`)
        : error;
    this.#end(toLocalizedMethodFault(fault));
  }

  /** The client is gone, or does not want it any more: the host removes the VM. */
  abort(fault: LocalizedMethodFault = toLocalizedMethodFault(new MethodFault('RequestCanceled'))): void {
    if (this.#state === 'done' || this.#state === 'error') return;
    this.#end(fault);
    if (this.#host) void this.#tellAborted(this.#host).catch(() => undefined); // without us it times out there
  }

  handlers(): Handlers<'HttpNfcLease', Call> {
    return {
      HttpNfcLeaseProgress: async ({ percent }, { signal }) => {
        await this.#onHost('HttpNfcLeaseProgress', { percent }, signal);
        const bounded = Math.max(0, Math.min(100, percent));
        this.#object?.set('transferProgress', bounded);
        this.#task?.progress(bounded);
      },
      HttpNfcLeaseComplete: async (_args, { signal }) => {
        await this.#onHost('HttpNfcLeaseComplete', {}, signal);
        this.#end();
      },
      HttpNfcLeaseAbort: ({ fault }) => {
        if (this.#state === 'done' || this.#state === 'error') throw new MethodFault('InvalidState');
        this.abort(fault);
      },
    };
  }

  async #ready(host: HostLease, info: HttpNfcLeaseInfo): Promise<void> {
    const { refs } = host;
    // The VM comes by the stream of the host's news, which may have ended.
    const isShown = () => refs.centerOf(info.entity) !== undefined;
    await host.whenShown(isShown, this.#over.signal).catch((error: unknown) => {
      if (!this.#over.signal.aborted) throw error;
    });
    if (this.#over.signal.aborted) return;
    if (!isShown()) {
      void this.#tellAborted(host).catch(() => undefined); // without us it times out there
      throw new MethodFault('HostCommunication', {}, 'The host has not told of the VM that it has made.');
    }
    // The URLs lead to us, whose certificate clients know already.
    const files = new Set<string>();
    const deviceUrl = (info.deviceUrl ?? []).map((device) => {
      const [, hostToken = '', file = ''] = /\/nfc\/([^/]+)\/([^/?]+)/.exec(device.url) ?? [];
      files.add(decodeURIComponent(file));
      this.#target = { token: hostToken, files };
      return make('HttpNfcLeaseDeviceUrl', {
        ...device,
        url: `${this.#door}/nfc/${this.token}/${file}`,
        sslThumbprint: '',
      });
    });
    const lease = this.#object?.ref;
    if (!lease || this.#state !== 'initializing') return;
    const shown = { ...refs.toCenter({ ...info, deviceUrl: [] }), lease, deviceUrl };
    this.#object?.update({ info: shown, state: 'ready', initializeProgress: 100 });
  }

  /** `error`: what it has come to nothing by. */
  #end(error?: LocalizedMethodFault): void {
    this.#object?.update(error ? { error, state: 'error' } : { state: 'done', transferProgress: 100 });
    this.#over.abort();
    if (error) this.#ended.reject(MethodFault.from(error.fault, error.localizedMessage));
    else this.#ended.resolve();
  }

  get #state(): string | undefined {
    return this.#object?.get('state');
  }

  async #onHost(method: string, args: object, signal: AbortSignal): Promise<void> {
    if (!this.#host || this.#state !== 'ready') throw new MethodFault('InvalidState');
    const { link, local, refs } = this.#host;
    try {
      await link.call(local, method, args, signal);
    } catch (error) {
      if (error instanceof MethodFault) throw refs.faultToCenter(error);
      if (error instanceof HostUnreachable) throw new MethodFault('HostCommunication');
      throw error;
    }
  }

  async #tellAborted({ link, local }: HostLease): Promise<void> {
    await link.call(local, 'HttpNfcLeaseAbort', {});
  }
}
