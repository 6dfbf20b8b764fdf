// Which of a host's objects is which of vCenter's, both ways, and what their datastores are called here and there.
import {
  type ManagedObjectReference,
  type ManagedTypeName,
  MethodFault,
  type MoRef,
  moRef,
  moRefKey,
  sameRef,
} from '@vivarium/vim';
import { deviceToCenter, deviceToHost } from '../distributed-switch/hidden-network.ts';
import { type Mapped, type Mapping, mapChanges, mapReferences } from './map-references.ts';
import { NetworkNames } from './network-names.ts';

export class ReferenceMap {
  readonly #toCenter = new Map<string, ManagedObjectReference>();
  readonly #toHost = new Map<string, ManagedObjectReference>();
  /** The host's name of a datastore → ours. Empty while all are the same. */
  readonly #centerNames = new Map<string, string>();
  readonly #hostNames = new Map<string, string>();
  /** Ours by id. */
  readonly #datastores = new Map<string, { readonly hostName: string; readonly centerName: string }>();
  readonly #networks = new NetworkNames();
  readonly #mapping: Mapping;
  #version = 0;

  /** `portgroupName`: what a distributed port group is called, by its key. */
  constructor(portgroupName: (key: string) => string | undefined = () => undefined) {
    this.#mapping = {
      reference: (local) => this.centerOf(local),
      object: (object) => deviceToCenter(object, portgroupName) ?? this.#networks.toCenter(object),
      datastoreName: (name) => this.#centerNames.get(name),
    };
  }

  /** Another one when a value may be another one in our words than it was; but for names of port groups. */
  get version(): number {
    return this.#version;
  }

  /** `local` is `ref`. */
  set(local: ManagedObjectReference, ref: ManagedObjectReference): void {
    if (sameRef(this.centerOf(local), ref) && sameRef(this.hostOf(ref), local)) return;
    this.forget(local);
    this.#version += 1;
    this.#toCenter.set(moRefKey(local), bare(ref));
    this.#toHost.set(moRefKey(ref), bare(local));
  }

  /** As set, but without the way back: several of the host's objects stand for one of ours (its resource pools). */
  setOneWay(local: ManagedObjectReference, ref: ManagedObjectReference): void {
    this.#version += 1;
    this.#toCenter.set(moRefKey(local), bare(ref));
  }

  forget(local: ManagedObjectReference): void {
    const ref = this.#toCenter.get(moRefKey(local));
    if (!ref) return;
    this.#version += 1;
    this.#toCenter.delete(moRefKey(local));
    if (this.#toHost.get(moRefKey(ref))?.value === local.value) this.#toHost.delete(moRefKey(ref));
  }

  /** `ref`: ours. Tells whether something is new. */
  nameDatastore({ value }: MoRef<'Datastore'>, hostName: string, centerName: string): boolean {
    const former = this.#datastores.get(value);
    if (former?.hostName === hostName && former.centerName === centerName) return false;
    this.#version += 1;
    this.#datastores.set(value, { hostName, centerName });
    // Another datastore may have got the name that this one has given up.
    if (former && this.#centerNames.get(former.hostName) === former.centerName) {
      this.#centerNames.delete(former.hostName);
    }
    if (former && this.#hostNames.get(former.centerName) === former.hostName) this.#hostNames.delete(former.centerName);
    this.#centerNames.set(hostName, centerName);
    this.#hostNames.set(centerName, hostName);
    return true;
  }

  /** All standard networks that the host has now. */
  nameNetworks(names: Parameters<NetworkNames['set']>[0]): void {
    this.#version += 1;
    this.#networks.set(names);
  }

  centerOf(local: ManagedObjectReference): ManagedObjectReference | undefined {
    return this.#toCenter.get(moRefKey(local));
  }

  hostOf(ref: ManagedObjectReference): ManagedObjectReference | undefined {
    return this.#toHost.get(moRefKey(ref));
  }

  /** The host's refusal in our words. */
  faultToCenter(fault: MethodFault): MethodFault {
    return MethodFault.from(this.toCenter(fault.fault), this.textToCenter(fault.message));
  }

  /** A value of the host's in our words. */
  toCenter<T>(value: T): T {
    return mapReferences(value, this.#mapping);
  }

  /** The same of a value of which another one was told before: `before` has to be of this version. */
  changesToCenter<T>(value: T, before: Mapped): T {
    return mapChanges(value, before, this.#mapping);
  }

  /**
   * Our value in the host's words. Faults: InvalidArgument, when it names something that the host does not have;
   * InvalidDeviceBacking, for a network card on a network or distributed switch that the host does not have; InvalidDatastore, for a
   * path on a datastore that it does not have.
   */
  toHost<T>(value: T): T {
    return mapReferences(value, {
      reference: (ref) => {
        const local = this.hostOf(ref);
        if (!local) {
          const what = `${ref.type} ${ref.value} is not on the host that has to do this`;
          throw new MethodFault('InvalidArgument', { invalidProperty: ref.type }, what);
        }
        return local;
      },
      object: (object) =>
        deviceToHost(object, (portgroup) => this.hostOf(portgroup) !== undefined, invalidBacking('port')) ??
        this.#networks.toHost(object, invalidBacking('deviceName')),
      datastoreName: (name) => this.#nameForHost(name),
    });
  }

  /** A text for people, with our names of datastores in it. */
  textToCenter(text: string): string {
    return text.replaceAll(
      /\[([^\]]+)\]/g,
      (all, name: string) => `[${this.#centerNames.get(name) ?? all.slice(1, -1)}]`,
    );
  }

  /** What the host calls our datastore; undefined when it does not have it. */
  hostDatastoreName({ value }: MoRef<'Datastore'>): string | undefined {
    return this.#datastores.get(value)?.hostName;
  }

  /** Ours of a type that the host has, with the host's own. */
  *ofType<T extends ManagedTypeName>(type: T): Iterable<readonly [MoRef<T>, ManagedObjectReference]> {
    for (const [key, local] of [...this.#toHost]) {
      if (key.startsWith(`${type}:`)) yield [moRef(type, key.slice(type.length + 1)), local];
    }
  }

  /** A name that here is another datastore's is not to mean the host's own of that name. */
  #nameForHost(name: string): string | undefined {
    const known = this.#hostNames.get(name);
    if (known === undefined && this.#centerNames.has(name)) {
      throw new MethodFault('InvalidDatastore', { name }, `The host that has to do this does not have '${name}'.`);
    }
    return known;
  }
}

function invalidBacking(field: string): (what: string) => MethodFault<'InvalidDeviceBacking'> {
  const property = `device.backing.${field}`;
  return (what) => new MethodFault('InvalidDeviceBacking', { property, deviceIndex: 0 }, what);
}

function bare({ type, value }: ManagedObjectReference): ManagedObjectReference {
  return { type, value } as ManagedObjectReference;
}
