// For tests: asks vCenter through its HTTP doors as somebody, and says what came of it.
import { encodeJson, type MoRef, schema } from '@vivarium/vim';
import type { Tenant, World } from './world.ts';

const RELEASE = '9.0.0.0';

/** A result, or the fault that was thrown. */
export interface Said<R> {
  readonly fault: string | undefined;
  readonly value: R;
}

/** By VI/JSON: a method. */
export async function ask<R = unknown>(
  world: World,
  who: Tenant,
  ref: MoRef,
  method: string,
  args: object = {},
): Promise<Said<R>> {
  const sent = Object.entries(args).map(([name, value]) => {
    const param = schema.method(ref.type, method)?.params.find((one) => one.name === name);
    return [name, param && value !== undefined ? encodeJson(param, value, schema.versions[0] as never) : value];
  });
  const url = `/sdk/vim25/${RELEASE}/${ref.type}/${encodeURIComponent(ref.value)}/${method}`;
  return said(await fetchFrom(world, who, 'POST', url, Object.fromEntries(sent)));
}

/** By VI/JSON: a property. */
export async function read<R = unknown>(world: World, who: Tenant, ref: MoRef, property: string): Promise<Said<R>> {
  const url = `/sdk/vim25/${RELEASE}/${ref.type}/${encodeURIComponent(ref.value)}/${property}`;
  return said(await fetchFrom(world, who, 'GET', url));
}

/** Another door: REST, metrics. */
export async function fetchFrom(
  { url: base }: World,
  who: Tenant,
  method: 'GET' | 'POST' | 'DELETE' | 'PATCH',
  path: string,
  payload?: object,
): Promise<Answer> {
  const answer = await fetch(`${base}${path}`, {
    method,
    headers: { 'vmware-api-session-id': who.session.id, 'content-type': 'application/json' },
    ...(payload ? { body: JSON.stringify(payload) } : {}),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true && text !== '';
  return { status: answer.status, body: isJson ? (JSON.parse(text) as unknown) : undefined, text };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
}

function said<R>({ status, body }: Answer): Said<R> {
  if (status < 300) return { fault: undefined, value: body as R };
  return { fault: String((body as { _typeName?: string } | undefined)?._typeName ?? status), value: body as R };
}
