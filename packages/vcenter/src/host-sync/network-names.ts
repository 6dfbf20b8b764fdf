// What a host's standard networks are called here and there, in network cards: hosts go by the name alone, and a name that another
// network has here must not mean the host's own of that name.
import { plainName } from '../inventory/entity-name.ts';

const BACKING = 'VirtualEthernetCardNetworkBackingInfo';
const GUEST_NIC = 'GuestNicInfo';

type Fields = Readonly<Record<string, unknown>>;

export class NetworkNames {
  /** Both as people write them. */
  #toHost: ReadonlyMap<string, string> = new Map();
  #toCenter: ReadonlyMap<string, string> = new Map();

  /** All networks of the host, by its names and ours, escaped or not. */
  set(names: readonly { readonly hostName: string; readonly centerName: string }[]): void {
    const pairs = names.map(({ hostName, centerName }) => [plainName(hostName), plainName(centerName)] as const);
    this.#toCenter = new Map(pairs);
    this.#toHost = new Map(pairs.map(([there, here]) => [here, there]));
  }

  /** A card's backing, or what a guest tells of a card; undefined = it is said as it is. */
  toCenter(object: Fields): Fields | undefined {
    const { _typeName: type = GUEST_NIC } = object;
    const field = type === BACKING ? 'deviceName' : 'network';
    const name = type === BACKING || type === GUEST_NIC ? object[field] : undefined;
    if (typeof name !== 'string') return undefined;
    const here = this.#toCenter.get(name);
    return here === undefined || here === name ? undefined : { ...object, [field]: here };
  }

  /** A card's backing; `refuse` is asked for the fault when the name is the host's own for a network that is called otherwise here. */
  toHost(object: Fields, refuse: (what: string) => Error): Fields | undefined {
    const given = object['deviceName'];
    if (object['_typeName'] !== BACKING || typeof given !== 'string') return undefined;
    const name = plainName(given);
    const there = this.#toHost.get(name);
    if (there === undefined && this.#toCenter.has(name)) throw refuse(`the host has no network '${name}'`);
    return there === undefined || there === given ? undefined : { ...object, deviceName: there };
  }
}
