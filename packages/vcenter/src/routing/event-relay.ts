// A host's events in vCenter's event log: about our entities, under the user and the task that caused them here.
import { type Event, type MoRef, make } from '@vivarium/vim';
import type { NewEvent, Service } from '@vivarium/vmomi';
import type { HostLink } from '../host-link/host-link.ts';
import type { ReferenceMap } from '../host-sync/reference-map.ts';

/** Causes that are remembered, so that an event that comes late still finds its own. */
const MOST_CAUSES = 10_000;
/** What vCenter tells in its own words, or what is the host's own business. */
const NOT_RELAYED: ReadonlySet<string> = new Set([
  'TaskEvent',
  'UserLoginSessionEvent',
  'UserLogoutSessionEvent',
  'BadUsernameSessionEvent',
  'SessionTerminatedEvent',
  'VmCreatedEvent',
  'VmRegisteredEvent',
  'VmRemovedEvent',
  'VmRenamedEvent',
  'ResourcePoolCreatedEvent',
  'ResourcePoolReconfiguredEvent',
  'ResourcePoolMovedEvent',
  'ResourcePoolDestroyedEvent',
  'VmResourcePoolMovedEvent',
]);

/** What an event is about and what happened is the host's to say; this is not. */
const NEW_HERE = [
  'key',
  'chainId',
  'createdTime',
  'userName',
  'fullFormattedMessage',
  'datacenter',
  'computeResource',
] as const satisfies readonly (keyof Event)[];

interface Cause {
  readonly userName: string;
  readonly chainId: number | undefined;
}

export class EventRelay {
  readonly #service: Service;
  readonly #causes = new Map<string, Cause>();
  /** Newest event of each host that was relayed. */
  readonly #seen = new Map<string, number>();

  constructor(service: Service) {
    this.#service = service;
  }

  /** Events of this chain on the host come of something that was asked for here. */
  expect(host: MoRef<'HostSystem'>, hostChain: number, cause: Cause): void {
    this.#causes.set(`${host.value} ${hostChain}`, cause);
    if (this.#causes.size > MOST_CAUSES) this.#causes.delete(this.#causes.keys().next().value ?? '');
  }

  /** It has left the inventory. */
  forget({ value }: MoRef<'HostSystem'>): void {
    this.#seen.delete(value);
  }

  /** From now on, until the signal or the connection ends. */
  async follow(host: MoRef<'HostSystem'>, refs: ReferenceMap, link: HostLink, signal: AbortSignal): Promise<void> {
    for await (const events of link.events(this.#seen.get(host.value), signal)) {
      for (const event of events) {
        this.#seen.set(host.value, event.key);
        this.#relay(host, refs, event);
      }
    }
  }

  #relay(host: MoRef<'HostSystem'>, refs: ReferenceMap, event: Event): void {
    if (NOT_RELAYED.has(event._typeName ?? '')) return;
    const cause = this.#causes.get(`${host.value} ${event.chainId}`);
    const { graph, events } = this.#service;
    const said: Partial<Event> = { ...refs.toCenter(event) };
    for (const name of NEW_HERE) delete said[name];
    const vm = said.vm && graph.find(said.vm.vm);
    if (said.vm && !vm) return; // it has gone meanwhile
    const place = graph.find(host);
    events.post({
      ...said,
      ...(cause?.chainId === undefined ? {} : { chainId: cause.chainId }),
      userName: cause?.userName ?? '',
      ...(said.vm ? { vm: { ...said.vm, name: vm?.get('name') ?? said.vm.name } } : {}),
      host: make('HostEventArgument', { name: place?.get('name') ?? '', host }),
    } as unknown as NewEvent<'Event'>);
  }
}
