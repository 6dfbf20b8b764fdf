// Whose HTTP request it is.
import { isFault } from '@vivarium/vim';
import type { Service } from '../service.ts';
import type { Session } from '../session/session.ts';
import { basicCredentials, sessionIdOf, ticketOf } from './cookies.ts';

/** What is needed of a request; Fastify's request fits. */
export interface AuthenticationRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly ip: string;
}

/** By session cookie or header, by one-time service ticket, or by user and password; undefined when by none. */
export async function authenticate(service: Service, request: AuthenticationRequest): Promise<Session | undefined> {
  const { sessions } = service;
  const id = sessionIdOf(request.headers);
  const session = id === undefined ? undefined : sessions.use(id);
  if (session) return session;
  const ticket = ticketOf(request.headers);
  if (ticket !== undefined)
    return sessions.serviceTickets.redeem(ticket, (purpose) => isFor(purpose, request))?.session;
  return byPassword(service, request);
}

async function byPassword({ sessions }: Service, request: AuthenticationRequest): Promise<Session | undefined> {
  const credentials = basicCredentials(request.headers);
  if (!credentials) return undefined;
  const origin = { ipAddress: request.ip, userAgent: String(request.headers['user-agent'] ?? ''), locale: 'en' };
  try {
    return sessions.passing(await sessions.verify(credentials.userName, credentials.password, origin), origin);
  } catch (error) {
    if (isFault(error, 'InvalidLogin')) return undefined;
    throw error;
  }
}

/** A ticket opens one URL with one verb; its host is not compared, clients name the daemon in many ways. */
function isFor(purpose: { readonly method: string; readonly url: string }, request: AuthenticationRequest): boolean {
  if (purpose.method !== request.method || !URL.canParse(request.url, 'https://host')) return false;
  return meaning(purpose.url) === meaning(request.url);
}

/**
 * Equal for two URLs that are the same but for how their characters are escaped. Escapes are resolved within each name and value
 * alone: an escaped `&` or `/` separates nothing, or a ticket for one file would open another one.
 */
function meaning(url: string): string {
  const { pathname, searchParams } = new URL(url, 'https://host');
  return JSON.stringify([pathname.split('/').map(plain), [...searchParams]]);
}

function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
