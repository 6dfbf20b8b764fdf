// For tests: asks a daemon through its HTTP doors as somebody, in one of the languages of its clients, and says what came of it.
import {
  type ApiVersion,
  decodeSoapResponse,
  encodeJson,
  encodeSoapRequest,
  MethodFault,
  type MoRef,
  schema,
} from '@vivarium/vim';
import { knows, NEWEST } from './speech.ts';
import type { Served, Tenant, World } from './world.ts';

/** A result, or the fault that was thrown. */
export interface Said<R> {
  readonly fault: string | undefined;
  readonly value: R;
}

/** A method, in the world's speech of the moment: or in the newest version, where that one does not know it. */
export async function ask<R = unknown>(
  world: World,
  who: Tenant,
  ref: MoRef,
  method: string,
  args: object = {},
): Promise<Said<R>> {
  const info = schema.method(ref.type, method);
  if (!info) throw new Error(`${ref.type} has no method ${method}`);
  // The services beside /sdk have no VI/JSON.
  const form = schema.serviceOf(ref.type) === 'vim25' ? world.speech.form : 'SOAP';
  const { version } = world.speech;
  const spoken = knows(world.speech, info) ? version : NEWEST;
  if (form === 'SOAP') return askSoap(world, who, ref, method, args, spoken);
  const sent = Object.entries(args).map(([name, value]) => {
    const param = info.params.find((one) => one.name === name);
    return [name, param && value !== undefined ? encodeJson(param, value, NEWEST) : value];
  });
  return said(await fetchFrom(world, who, 'POST', jsonUrl(ref, method, spoken), Object.fromEntries(sent)));
}

/** A property; as ask. */
export async function read<R = unknown>(world: World, who: Tenant, ref: MoRef, property: string): Promise<Said<R>> {
  const { form } = world.speech;
  const known = [schema.managed(ref.type), schema.field(ref.type, property)];
  const isKnown = known.every((one) => one && knows(world.speech, one));
  const version = isKnown ? world.speech.version : NEWEST;
  if (form === 'VI/JSON') return said(await fetchFrom(world, who, 'GET', jsonUrl(ref, property, version)));
  const { fault, value } = await askSoap<R>(world, who, ref, 'Fetch', { prop: property }, version);
  return { fault, value: unboxed(value) as R };
}

function jsonUrl({ type, value }: MoRef, member: string, version: ApiVersion): string {
  return `/sdk/vim25/${version}/${type}/${encodeURIComponent(value)}/${member}`;
}

/** Some clients take one, some another. */
const SOAP_PATHS = { vim25: ['/sdk', '/sdk/', '/sdk/vimService'], pbm: ['/pbm', '/pbm/', '/pbm/sdk'] } as const;

async function askSoap<R>(
  world: World,
  who: Tenant,
  ref: MoRef,
  method: string,
  args: object,
  version: ApiVersion,
): Promise<Said<R>> {
  const service = schema.serviceOf(ref.type);
  const headers = {
    cookie: `vmware_soap_session="${who.session.id}"`,
    'content-type': 'text/xml; charset=utf-8',
    soapaction: `"urn:${service}/${version}"`,
  };
  const sent = encodeSoapRequest(method, ref, { ...args }, version);
  const { text } = await world.send('POST', world.draw.pick(SOAP_PATHS[service]), headers, sent);
  try {
    const result = schema.method(ref.type, method)?.result ?? 'void';
    const value = decodeSoapResponse(result, text, version);
    return { fault: undefined, value: (version === NEWEST ? value : asNamedNow(value, namesOf(world))) as R };
  } catch (error) {
    if (!(error instanceof MethodFault)) throw error;
    return { fault: error.fault._typeName, value: undefined as R };
  }
}

type Names = ReadonlyMap<string, MoRef>;

/** A value with its references under the types that they have now: to old clients a newer type is called what it descends from. */
function asNamedNow(value: unknown, names: Names): unknown {
  if (Array.isArray(value)) return value.map((item) => asNamedNow(item, names));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (isRef(value)) return names.get(value.value) ?? value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, asNamedNow(item, names)]));
}

const namesOf = (world: World): Names => new Map(world.entities().map((ref) => [ref.value, ref]));

function isRef(value: object): value is MoRef {
  return 'type' in value && schema.managed(String(value.type)) !== undefined && 'value' in value;
}

function unboxed(value: unknown): unknown {
  return typeof value === 'object' && value !== null && '_value' in value ? value._value : value;
}

/** Another door: REST, files, metrics. */
export async function fetchFrom(
  { send }: Pick<Served, 'send'>,
  who: Tenant,
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH',
  path: string,
  payload?: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Fetched> {
  const body = payload === undefined || typeof payload === 'string' ? payload : JSON.stringify(payload);
  const common = { 'vmware-api-session-id': who.session.id, 'content-type': 'application/json' };
  const { status, contentType, text } = await send(method, path, { ...common, ...headers }, body);
  const isJson = contentType.startsWith('application/json') && text !== '';
  return { status, body: isJson ? (JSON.parse(text) as unknown) : undefined, text };
}

export interface Fetched {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
}

function said<R>({ status, body }: Fetched): Said<R> {
  if (status < 300) return { fault: undefined, value: body as R };
  return { fault: String((body as { _typeName?: string } | undefined)?._typeName ?? status), value: body as R };
}
