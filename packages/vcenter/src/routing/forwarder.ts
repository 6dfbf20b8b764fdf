// Lets a host do what vCenter was asked for: the call in the host's words, the answer in ours, a task of ours around the
// host's task.
import type { Clock } from '@vivarium/base';
import { isFault, type ManagedObjectReference, MethodFault, type MoRef, schema } from '@vivarium/vim';
import { type Call, descriptionIdOf, type Service } from '@vivarium/vmomi';
import { HostUnreachable } from '../host-link/host-link.ts';
import type { ReferenceMap } from '../host-sync/reference-map.ts';
import type { Hosts } from '../hosts/hosts.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { EventRelay } from './event-relay.ts';
import { whenShown } from './when-shown.ts';

export interface ForwarderOptions {
  readonly service: Service;
  readonly hosts: Hosts;
  readonly relay: EventRelay;
  readonly inventory: Inventory;
  readonly clock: Clock;
}

/** How a task of ours is run by a host. */
export interface HostTask {
  readonly host: MoRef<'HostSystem'>;
  /** The host's own object; default: the one that `entity` is there. */
  readonly target?: ManagedObjectReference;
  readonly method: string;
  /** In our words. */
  readonly args: object;
}

/** The task of ours that a host's task is a part of. */
export interface Around {
  readonly call: Call;
  readonly task: MoRef<'Task'>;
  readonly signal: AbortSignal;
  readonly progress: (percent: number) => void;
}

export class Forwarder {
  readonly #service: Service;
  readonly #hosts: Hosts;
  readonly #relay: EventRelay;
  readonly #shown: Pick<ForwarderOptions, 'inventory' | 'clock'>;

  constructor({ service, hosts, relay, inventory, clock }: ForwarderOptions) {
    this.#shown = { inventory, clock };
    this.#service = service;
    this.#hosts = hosts;
    this.#relay = relay;
  }

  /** The same method of the same object, on the host: what most methods of a VM are. */
  forward(
    entity: MoRef,
    host: MoRef<'HostSystem'>,
    method: string,
    args: object,
    call: Call,
  ): MoRef<'Task'> | Promise<unknown> {
    if (schema.declaredMethod(method)?.taskResult) return this.startTask(entity, { host, method, args }, call);
    return this.call(entity, { host, method, args }, call.signal);
  }

  /** A task of ours that is over when the host's is, and when our inventory shows what it did. */
  startTask(entity: MoRef, task: HostTask, call: Call): MoRef<'Task'> {
    const descriptionId = descriptionIdOf(entity.type, task.method);
    return this.#service.tasks.start({ entity, descriptionId, call, cancelable: true }, (handle) =>
      this.run(entity, task, {
        call,
        task: handle.ref,
        signal: handle.signal,
        progress: (percent) => handle.progress(percent),
      }),
    );
  }

  /** Within a task of ours: resolves with the result in our words. */
  run(entity: MoRef, { host, target, method, args }: HostTask, around: Around): Promise<unknown> {
    const { refs } = this.#hosts.connected(host).mirror;
    return this.runLocal(host, target ?? localOf(refs.hostOf(entity), entity), method, refs.toHost(args), around);
  }

  /** As run, with target and arguments in the host's words already. */
  async runLocal(
    host: MoRef<'HostSystem'>,
    target: ManagedObjectReference,
    method: string,
    args: object,
    { call, task, signal, progress }: Around,
  ): Promise<unknown> {
    const session = this.#hosts.connected(host);
    const chainId = this.#service.graph.find(task)?.get('info')?.eventChainId;
    const cause = { userName: call.session.userName, chainId };
    const options = {
      signal,
      onProgress: progress,
      onChain: (hostChain: number) => this.#relay.expect(host, hostChain, cause),
    };
    const { refs } = session.mirror;
    return refs.toCenter(await asFault(refs, () => session.link.run(target, method, args, options)));
  }

  async call(entity: MoRef, { host, target, method, args }: HostTask, signal?: AbortSignal): Promise<unknown> {
    const { refs } = this.#hosts.connected(host).mirror;
    const local = target ?? localOf(refs.hostOf(entity), entity);
    return this.callLocal(host, local, method, refs.toHost(args), signal);
  }

  /** As call, with target and arguments in the host's words already. */
  async callLocal(
    host: MoRef<'HostSystem'>,
    target: ManagedObjectReference,
    method: string,
    args: object,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const { link, mirror } = this.#hosts.connected(host);
    const { refs } = mirror;
    const said = await asFault(refs, () => link.call(target, method, args, signal));
    if (isEntity(said)) {
      const isShown = () => this.#service.graph.find((refs.centerOf(said) ?? said) as MoRef) !== undefined;
      await whenShown(this.#shown, isShown, signal);
    }
    return refs.toCenter(said);
  }
}

/** Something that the host has made, most likely. */
function isEntity(said: unknown): said is ManagedObjectReference {
  const { type } = (said ?? {}) as Partial<ManagedObjectReference>;
  return typeof type === 'string' && schema.managed(type) !== undefined && schema.isSubtype(type, 'ManagedEntity');
}

function localOf(local: ManagedObjectReference | undefined, entity: MoRef): ManagedObjectReference {
  if (!local) throw new MethodFault('ManagedObjectNotFound', { obj: entity });
  return local;
}

/**
 * What the host refuses, in our words; a host that does not answer, or has started again and does not know vCenter yet, is
 * HostCommunication, as vSphere says it.
 */
async function asFault<T>(refs: ReferenceMap, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFault(error, 'NotAuthenticated'))
      throw new MethodFault('HostCommunication', {}, 'The host has started again.');
    if (error instanceof MethodFault) throw refs.faultToCenter(error);
    if (!(error instanceof HostUnreachable)) throw error;
    throw new MethodFault('HostCommunication', {}, `The host does not answer: ${error.message}`);
  }
}
