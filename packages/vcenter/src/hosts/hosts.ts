// The hosts of the inventory and their connections. Where everything that has to do with a host goes through.
import type { Clock, Logger, Random } from '@vivarium/base';
import { type ManagedObjectReference, MethodFault, type MoRef, make, moRef, schema } from '@vivarium/vim';
import type { ObjectGraph } from '@vivarium/vmomi';
import type { HostDialer, HostLink } from '../host-link/host-link.ts';
import type { ExpectedVms } from '../host-sync/expected-vms.ts';
import { HostMirror, type MendStep, type MirrorEvents } from '../host-sync/host-mirror.ts';
import type { SharedIndex } from '../host-sync/shared-index.ts';
import type { SharedObjects } from '../host-sync/shared-objects.ts';
import type { VmIndex } from '../host-sync/vm-index.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { MemberLists } from '../inventory/member-lists.ts';
import { ConnectGate } from './connect-gate.ts';
import { type ConnectionState, HostSession } from './host-session.ts';

export interface HostsOptions {
  readonly inventory: Inventory;
  readonly graph: ObjectGraph;
  readonly lists: MemberLists;
  readonly shared: SharedObjects;
  readonly index: SharedIndex;
  readonly vms: VmIndex;
  readonly expected: ExpectedVms;
  readonly dialer: HostDialer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: MirrorEvents;
  /** What a host told of a VM is in the graph. */
  readonly vmShown: (vm: MoRef<'VirtualMachine'>) => void;
  readonly newInstanceUuid: () => string;
  /** AboutInfo.instanceUuid of this vCenter. */
  readonly instanceUuid: string;
  /** A host is another vCenter's now. */
  readonly taken: (host: MoRef<'HostSystem'>, fault: MethodFault<'AlreadyBeingManaged'>) => Promise<void>;
  readonly stateChanged: (host: MoRef<'HostSystem'>, state: ConnectionState, former: ConnectionState) => void;
  /** A session with a host has begun. */
  readonly begun: (host: MoRef<'HostSystem'>, session: HostSession, link: HostLink, signal: AbortSignal) => void;
}

export class Hosts {
  readonly #options: HostsOptions;
  readonly #sessions = new Map<string, HostSession>();
  readonly #gate: ConnectGate;

  constructor(options: HostsOptions) {
    this.#options = options;
    this.#gate = new ConnectGate(options.clock);
  }

  /** Connects to every host of the inventory that nobody has disconnected; to thousands little by little. */
  start(): void {
    for (const [ref, record] of this.#options.inventory.ofType('HostSystem')) {
      const session = this.open(ref);
      if (!record.isDisconnected) session.connectInTurn();
    }
  }

  /** The session of a host that is in the inventory. */
  open(host: MoRef<'HostSystem'>): HostSession {
    const known = this.#sessions.get(host.value);
    if (known) return known;
    const { inventory, graph, lists, shared, index, vms, expected, dialer, clock, random, log, events } = this.#options;
    const mirror: HostMirror = new HostMirror({
      host,
      inventory,
      graph,
      lists,
      shared,
      index,
      vms,
      expected,
      log,
      events,
      vmShown: (vm) => this.#options.vmShown(vm),
      elsewhere: (instanceUuid) => {
        const entry = instanceUuid === '' ? undefined : vms.withUuid(instanceUuid);
        if (!entry || entry[1].host.value === host.value) return undefined;
        const [ref, record] = entry;
        const state = this.#sessions.get(record.host.value)?.mirror.vmState(ref);
        return { ref, record, isClaimed: state?.isClaimed ?? false, isRunning: state?.isRunning ?? false };
      },
      mend: (step) => this.#mend(session, step),
    });
    const session: HostSession = new HostSession({
      host,
      mirror,
      dialer,
      gate: this.#gate,
      clock,
      random,
      log,
      target: () => inventory.get(host),
      claim: async (link) => {
        const { instanceUuid } = this.#options;
        await link.call(moRef('HostSystem', 'ha-host'), 'ClaimManagement', {
          serverIp: '',
          instanceUuid,
          force: false,
        });
      },
      taken: (fault) => this.#options.taken(host, fault),
      stateChanged: (state, former) => this.#options.stateChanged(host, state, former),
      begun: (link, signal) => this.#options.begun(host, session, link, signal),
    });
    this.#sessions.set(host.value, session);
    return session;
  }

  find(host: MoRef<'HostSystem'>): HostSession | undefined {
    return this.#sessions.get(host.value);
  }

  /** Fault: HostNotConnected. */
  connected(host: MoRef<'HostSystem'>): HostSession {
    const session = this.#sessions.get(host.value);
    if (session?.state !== 'connected') throw new MethodFault('HostNotConnected');
    return session;
  }

  isConnected(host: MoRef<'HostSystem'>): boolean {
    return this.#sessions.get(host.value)?.state === 'connected';
  }

  /** Ends the connection for good; the host's entities are still there. */
  async drop(host: MoRef<'HostSystem'>): Promise<HostSession | undefined> {
    const session = this.#sessions.get(host.value);
    await session?.disconnect();
    this.#sessions.delete(host.value);
    return session;
  }

  /** Told once the datastore itself shows it. */
  datastoreRenamed(ref: MoRef<'Datastore'>, name: string): void {
    for (const { mirror } of this.#sessions.values()) mirror.datastoreRenamed(ref, name);
  }

  hostsOf(owner: ManagedObjectReference): MoRef<'HostSystem'>[] {
    return this.#options.inventory
      .children(owner)
      .filter((ref): ref is MoRef<'HostSystem'> => schema.isSubtype(ref.type, 'HostSystem'));
  }

  recordOf(host: MoRef<'HostSystem'>): EntityRecord<'HostSystem'> {
    return this.#options.inventory.get(host);
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#sessions.values(), (session) => session.disconnect()));
  }

  /** Not awaited: the host's answer comes by the stream whose news are being taken in. */
  #mend(session: HostSession, step: MendStep): void {
    const { vms, events, newInstanceUuid, log } = this.#options;
    const { hostKey, instanceUuid } = step.vm;
    const local = moRef('VirtualMachine', hostKey);
    const settle = async () => {
      const link = session.mirrorLink();
      if (step.kind === 'unregister') return void (await link.call(local, 'UnregisterVM', {}));
      const [other] = vms.withUuid(instanceUuid) ?? [];
      if (other) events.vmUuidConflict(step.ref, other, instanceUuid);
      const newUuid = newInstanceUuid();
      await link.run(local, 'ReconfigVM_Task', { spec: make('VirtualMachineConfigSpec', { instanceUuid: newUuid }) });
      events.vmUuidChanged(step.ref, instanceUuid, newUuid);
    };
    settle().catch((error: unknown) =>
      log.warn({ vm: hostKey, step: step.kind, err: error }, 'a conflict of VMs is not settled'),
    );
  }
}
