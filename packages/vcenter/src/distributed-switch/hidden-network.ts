// How a host without distributed switches has one: as a standard switch and port groups whose names say what they are. The names
// are made and read here, and the network cards' backings are translated by them. Pure.
import { type ManagedObjectReference, type MoRef, moRef } from '@vivarium/vim';

export interface HiddenPortGroup {
  readonly portgroupKey: string;
  readonly switchUuid: string;
}

const PORT_GROUP = /^(dvportgroup-\d+) ([0-9a-f]{2}(?: [0-9a-f]{2}){7}-[0-9a-f]{2}(?: [0-9a-f]{2}){7})$/;
const SWITCH = /^(dvs-\d+)-[0-9a-f]{8}$/;
const STANDARD_BACKING = 'VirtualEthernetCardNetworkBackingInfo';
const DISTRIBUTED_BACKING = 'VirtualEthernetCardDistributedVirtualPortBackingInfo';

type Fields = Readonly<Record<string, unknown>>;

/** A switch's UUID as vSphere writes it: `50 1e 4b … -…`. */
export function switchUuid(uuid: string): string {
  const pairs = uuid.replaceAll('-', '').match(/../g) ?? [];
  return `${pairs.slice(0, 8).join(' ')}-${pairs.slice(8).join(' ')}`;
}

export function hiddenPortGroupName({ portgroupKey, switchUuid: uuid }: HiddenPortGroup): string {
  return `${portgroupKey} ${uuid}`;
}

/** At most 31 characters, as a standard switch may be called. */
export function hiddenSwitchName(dvs: ManagedObjectReference, uuid: string): string {
  return `${dvs.value}-${uuid.replace(/[ -]/g, '').slice(0, 8)}`;
}

export function parseHiddenPortGroup(name: unknown): HiddenPortGroup | undefined {
  const [, portgroupKey, uuid] = (typeof name === 'string' && PORT_GROUP.exec(name)) || [];
  return portgroupKey !== undefined && uuid !== undefined ? { portgroupKey, switchUuid: uuid } : undefined;
}

export function isHiddenSwitch(name: string): boolean {
  return SWITCH.test(name);
}

/** The value of the switch's reference. */
export function switchOfHidden(name: string): string | undefined {
  return SWITCH.exec(name)?.[1];
}

/** A port group's key is its reference's value. */
export function portgroupRef(key: string): MoRef<'DistributedVirtualPortgroup'> {
  return moRef('DistributedVirtualPortgroup', key);
}

/** What a host says of a card on a hidden port group, as vCenter says it; undefined = it is something else. */
export function deviceToCenter(object: Fields, portgroupName: (key: string) => string | undefined): Fields | undefined {
  const hidden = parseHiddenPortGroup(backingOf(object, STANDARD_BACKING)?.['deviceName']);
  if (hidden) {
    const info = object['deviceInfo'] as Fields | undefined;
    return {
      ...object,
      ...(info ? { deviceInfo: { ...info, summary: `DVSwitch: ${hidden.switchUuid}` } } : {}),
      backing: {
        _typeName: DISTRIBUTED_BACKING,
        port: { _typeName: 'DistributedVirtualSwitchPortConnection', ...hidden },
      },
    };
  }
  // GuestNicInfo.network: the name of the card's network.
  const network = parseHiddenPortGroup(object['network']);
  return network && { ...object, network: portgroupName(network.portgroupKey) ?? network.portgroupKey };
}

/**
 * A card on a distributed port, as a host has it; `refuse` is asked for the fault when the host has no such port group, and when
 * somebody names a hidden one himself: his rights were looked at on networks that people see.
 */
export function deviceToHost(
  object: Fields,
  isThere: (portgroup: MoRef<'DistributedVirtualPortgroup'>) => boolean,
  refuse: (what: string) => Error,
): Fields | undefined {
  const hidden = backingOf(object, STANDARD_BACKING)?.['deviceName'];
  if (parseHiddenPortGroup(hidden)) throw refuse(`the host has no network '${hidden}'`);
  const port = backingOf(object, DISTRIBUTED_BACKING)?.['port'] as Partial<HiddenPortGroup> | undefined;
  if (!port) return undefined;
  const { portgroupKey = '', switchUuid: uuid = '' } = port;
  const deviceName = hiddenPortGroupName({ portgroupKey, switchUuid: uuid });
  if (!parseHiddenPortGroup(deviceName) || !isThere(portgroupRef(portgroupKey))) {
    throw refuse(`the host has no port group ${portgroupKey} of the distributed switch ${uuid}`);
  }
  return { ...object, backing: { _typeName: STANDARD_BACKING, deviceName, useAutoDetect: false } };
}

function backingOf(object: Fields, type: string): Fields | undefined {
  const backing = object['backing'] as Fields | undefined;
  return backing?.['_typeName'] === type ? backing : undefined;
}
