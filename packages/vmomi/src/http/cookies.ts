// How a session travels: the cookie of SOAP clients, the header of VI/JSON clients. Pure.

export const SESSION_HEADER = 'vmware-api-session-id';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const SESSION_COOKIE = /(?:^|[;,\s])vmware_soap_session="?([^";,\s]+)/;
const TICKET_COOKIE = /(?:^|[;,\s])vmware_cgi_ticket="?([^";,\s]+)/;

/** The session id that a request presents, as header or as cookie. pyVmomi sends the whole Set-Cookie line back. */
export function sessionIdOf(headers: Headers): string | undefined {
  const header = headers[SESSION_HEADER];
  if (typeof header === 'string' && header !== '') return header.replaceAll('"', '');
  return SESSION_COOKIE.exec(String(headers['cookie'] ?? ''))?.[1];
}

/** A ticket of AcquireGenericServiceTicket. */
export function ticketOf(headers: Headers): string | undefined {
  return TICKET_COOKIE.exec(String(headers['cookie'] ?? ''))?.[1];
}

/** Set-Cookie for a new session; without an id it takes the cookie away. The quotes are vSphere's. */
export function sessionCookie(id: string | undefined): string {
  const cookie = `vmware_soap_session="${id ?? ''}"; Path=/; HttpOnly; Secure`;
  return id === undefined ? `${cookie}; Max-Age=0` : cookie;
}

/** User and password of an Authorization: Basic header (RFC 7617). */
export function basicCredentials(headers: Headers): { userName: string; password: string } | undefined {
  const [, encoded] = /^basic\s+([A-Za-z0-9+/=]+)$/i.exec(String(headers['authorization'] ?? '')) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { userName: text.slice(0, colon), password: text.slice(colon + 1) };
}
