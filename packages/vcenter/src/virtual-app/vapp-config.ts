// A vApp's configuration, made and changed by its specification. Pure. Source: vSphere Web Services API, VAppConfigSpec.
import {
  type ArrayUpdateSpec,
  MethodFault,
  type MoRef,
  make,
  unbox,
  type VAppConfigInfo,
  type VAppConfigSpec,
  type VAppEntityConfigInfo,
} from '@vivarium/vim';

/** vSphere's, in seconds. */
const DEFAULT_DELAY_S = 120;
const START_ACTIONS: readonly string[] = ['none', 'powerOn'];
const STOP_ACTIONS: readonly string[] = ['none', 'powerOff', 'guestShutdown', 'suspend'];

export function newVAppConfig(spec: VAppConfigSpec, instanceUuid: string): VAppConfigInfo {
  const empty = make('VAppConfigInfo', {
    entityConfig: [],
    annotation: '',
    instanceUuid,
    product: [],
    property: [],
    ipAssignment: make('VAppIPAssignmentInfo', {
      supportedAllocationScheme: ['dhcp', 'ovfenv'],
      ipAllocationPolicy: 'dhcpPolicy',
      supportedIpProtocol: ['IPv4', 'IPv6'],
      ipProtocol: 'IPv4',
    }),
    eula: [],
    ovfSection: [],
    ovfEnvironmentTransport: [],
    installBootRequired: false,
    installBootStopDelay: 0,
  });
  return changedVAppConfig(empty, spec);
}

/** What the specification leaves out stays. Fault: InvalidArgument, naming what is wrong with it. */
export function changedVAppConfig(config: VAppConfigInfo, spec: VAppConfigSpec): VAppConfigInfo {
  const entities = config.entityConfig ?? [];
  const entityConfig = (spec.entityConfig ?? []).reduce(
    (list: readonly VAppEntityConfigInfo[], change) => withEntity(list, change),
    entities,
  );
  return {
    ...config,
    entityConfig: [...entityConfig],
    product: updated(config.product, spec.product, 'product'),
    property: updated(config.property, spec.property, 'property'),
    ovfSection: updated(config.ovfSection as Keyed[] | undefined, spec.ovfSection, 'ovfSection') as never,
    ...(spec.annotation === undefined ? {} : { annotation: spec.annotation }),
    ...(spec.instanceUuid === undefined ? {} : { instanceUuid: spec.instanceUuid }),
    ...(spec.managedBy === undefined ? {} : { managedBy: spec.managedBy }),
    ...(spec.ipAssignment === undefined ? {} : { ipAssignment: { ...config.ipAssignment, ...spec.ipAssignment } }),
    ...(spec.eula === undefined ? {} : { eula: spec.eula }),
    ...(spec.ovfEnvironmentTransport === undefined ? {} : { ovfEnvironmentTransport: spec.ovfEnvironmentTransport }),
    ...(spec.installBootRequired === undefined ? {} : { installBootRequired: spec.installBootRequired }),
    ...(spec.installBootStopDelay === undefined ? {} : { installBootStopDelay: spec.installBootStopDelay }),
  };
}

/** As vSphere takes in a VM or vApp: started behind all others. */
export function newEntity(key: MoRef<'ManagedEntity'>, startOrder: number): VAppEntityConfigInfo {
  return make('VAppEntityConfigInfo', {
    key,
    startOrder,
    startDelay: DEFAULT_DELAY_S,
    waitingForGuest: false,
    startAction: 'powerOn',
    stopDelay: DEFAULT_DELAY_S,
    stopAction: 'powerOff',
  });
}

function withEntity(list: readonly VAppEntityConfigInfo[], change: VAppEntityConfigInfo): VAppEntityConfigInfo[] {
  const invalid = (property: string) =>
    new MethodFault('InvalidArgument', { invalidProperty: `spec.entityConfig.${property}` });
  const known = list.find(({ key }) => key?.value === change.key?.value);
  if (!change.key || !known) throw invalid('key');
  const next = { ...known, ...definedOf(change) };
  for (const property of ['startOrder', 'startDelay', 'stopDelay'] as const) {
    if ((next[property] ?? 0) < 0) throw invalid(property);
  }
  if (!START_ACTIONS.includes(next.startAction ?? 'none')) throw invalid('startAction');
  if (!STOP_ACTIONS.includes(next.stopAction ?? 'none')) throw invalid('stopAction');
  return list.map((entity) => (entity === known ? next : entity));
}

function definedOf<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}

interface Keyed {
  readonly key: number;
}

/** Array updates by integer keys. */
function updated<T extends Keyed>(
  list: readonly T[] | undefined,
  specs: readonly (ArrayUpdateSpec & { readonly info?: object })[] | undefined,
  name: string,
): T[] {
  let result = [...(list ?? [])];
  const invalid = () => new MethodFault('InvalidArgument', { invalidProperty: `spec.${name}` });
  for (const { operation, info, removeKey } of specs ?? []) {
    const key = operation === 'remove' ? Number(unbox(removeKey)) : (info as T | undefined)?.key;
    const isThere = result.some((one) => one.key === key);
    if (key === undefined || isThere === (operation === 'add')) throw invalid();
    if (operation === 'add') result.push(info as T);
    else if (operation === 'edit')
      result = result.map((one) => (one.key === key ? { ...one, ...definedOf(info as T) } : one));
    else result = result.filter((one) => one.key !== key);
  }
  return result;
}
