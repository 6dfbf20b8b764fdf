// Which datastore a path means, `[datastore1] a/b.vmdk` in a datacenter or a URL below /folder, and which host can reach it.
// Source: vSphere Web Services API, FileManager.
import { MethodFault, type MoRef } from '@vivarium/vim';
import { filePlace } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { ROOT_FOLDER } from '../folder/create-entity.ts';
import { plainName } from '../inventory/entity-name.ts';

export interface FilePlace {
  readonly datastore: MoRef<'Datastore'>;
  /** `[datastore1] a/b.vmdk`, under the name that the datastore has here. */
  readonly text: string;
}

type Where = Pick<Center, 'inventory'>;
type WhereFiles = Pick<Center, 'inventory' | 'index'>;

/**
 * `datacenter` is needed for a path when there are several. Faults: InvalidDatastorePath, InvalidDatastore, InvalidArgument
 * (`property`, the datacenter's argument).
 */
export function locateFile(
  { inventory, index }: WhereFiles,
  text: string,
  datacenter: MoRef<'Datacenter'> | undefined,
  property: string,
): FilePlace {
  const url = /^https?:/i.test(text) ? parseUrl({ inventory, index }, text) : undefined;
  if (url) return url;
  const place = filePlace(text);
  if (!place) throw new MethodFault('InvalidDatastorePath', { datastorePath: text });
  const { datastore: name, path } = place;
  const owner = datacenter ?? onlyDatacenter({ inventory });
  if (!owner) throw new MethodFault('InvalidArgument', { invalidProperty: property }, `${text}: in which datacenter?`);
  const datastore = index.datastoreNamed(owner, name) ?? index.datastoreAt(owner, `ds:///vmfs/volumes/${name}/`);
  if (!datastore)
    throw new MethodFault('InvalidDatastore', { name }, `There is no datastore '${name}' in this datacenter.`);
  return { datastore, text: `[${plainName(inventory.get(datastore).name)}] ${path}` };
}

/** `dcPath`: an inventory path without the leading slash; some clients encode it twice, and some leave it out. */
export function findDatacenter({ inventory }: Where, dcPath: string | null): MoRef<'Datacenter'> | undefined {
  if (dcPath === null) return onlyDatacenter({ inventory });
  return follow({ inventory }, dcPath) ?? follow({ inventory }, plainPercents(dcPath));
}

/** A connected host that has them all; undefined when there is none. */
export function hostWithAll(
  { shared, hosts }: Pick<Center, 'shared' | 'hosts'>,
  datastores: readonly MoRef<'Datastore'>[],
): MoRef<'HostSystem'> | undefined {
  const [first, ...others] = datastores;
  if (!first) return undefined;
  const sets = others.map((one) => new Set(shared.hostsOf(one).map(({ value }) => value)));
  return shared.hostsOf(first).find((host) => hosts.isConnected(host) && sets.every((set) => set.has(host.value)));
}

/** `https://vcenter/folder/a/b.vmdk?dcPath=DC&dsName=datastore1`. */
function parseUrl(where: WhereFiles, text: string): FilePlace {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const path = /^\/folder(?:\/(.*))?$/s.exec(url?.pathname ?? '');
  const name = url?.searchParams.get('dsName');
  if (!url || !path || !name) throw new MethodFault('InvalidDatastorePath', { datastorePath: text });
  const datacenter = findDatacenter(where, url.searchParams.get('dcPath'));
  const datastore = datacenter && where.index.datastoreNamed(datacenter, name);
  if (!datastore) throw new MethodFault('InvalidDatastore', { name });
  return { datastore, text: `[${plainName(where.inventory.get(datastore).name)}] ${plainPercents(path[1] ?? '')}` };
}

function follow({ inventory }: Where, path: string): MoRef<'Datacenter'> | undefined {
  let at: MoRef | undefined = ROOT_FOLDER as MoRef;
  for (const name of path.split('/').filter((part) => part !== '')) {
    at = at && (inventory.childNamed(at, name) as MoRef | undefined);
  }
  return at?.type === 'Datacenter' ? (at as MoRef as MoRef<'Datacenter'>) : undefined;
}

function onlyDatacenter({ inventory }: Where): MoRef<'Datacenter'> | undefined {
  const [first, ...others] = Array.from(inventory.ofType('Datacenter'), ([ref]) => ref);
  return others.length === 0 ? first : undefined;
}

function plainPercents(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
