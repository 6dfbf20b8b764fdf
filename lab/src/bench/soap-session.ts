// A session over SOAP that keeps nothing of the replies but their size: a load generator, not a client.
import { Agent, request } from 'node:https';
import type { LabHost } from '../testing/lab-host.ts';

export interface SoapSession extends Disposable {
  /** Sends one request and reads its reply to the end; resolves with the reply's bytes. Throws unless it is HTTP 200. */
  send(body: string): Promise<number>;
}

export async function openSoapSession(host: LabHost, connections: number): Promise<SoapSession> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, rejectUnauthorized: false });
  const login = `<Login xmlns="urn:vim25"><_this type="SessionManager">ha-sessionmgr</_this><userName>${host.userName}</userName><password>${host.password}</password></Login>`;
  const { cookie } = await post(agent, host.url, login);
  if (!cookie) throw new Error('Login gave no session');
  return {
    send: async (body) => (await post(agent, host.url, body, cookie)).bytes,
    [Symbol.dispose]: () => agent.destroy(),
  };
}

function post(
  agent: Agent,
  url: string,
  body: string,
  cookie?: string,
): Promise<{ readonly bytes: number; readonly cookie: string | undefined }> {
  const envelope = `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
  const headers = {
    'content-type': 'text/xml',
    soapaction: '"urn:vim25/8.0.3.0"',
    'content-length': Buffer.byteLength(envelope),
    ...(cookie ? { cookie } : {}),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/sdk`, { method: 'POST', agent, headers }, (incoming) => {
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      incoming.on('end', () => {
        if (incoming.statusCode === 200) resolve({ bytes, cookie: incoming.headers['set-cookie']?.[0]?.split(';')[0] });
        else reject(new Error(`HTTP ${incoming.statusCode}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(envelope);
  });
}
