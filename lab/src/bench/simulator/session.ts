// A session over SOAP on one connection, with a server that has vCenter's names for its managers: ours and vcsim have.
import { Connection, type Reply } from './connection.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export class SoapSession implements Disposable {
  readonly #connection: Connection;
  readonly #address: Address;
  #cookie = '';

  private constructor(connection: Connection, address: Address) {
    this.#connection = connection;
    this.#address = address;
  }

  /** Logged in as whoever comes: simulators take any account. */
  static async open(address: Address): Promise<SoapSession> {
    const session = new SoapSession(await Connection.open(address.host, address.port), address);
    const login = call(
      'Login',
      'SessionManager',
      'SessionManager',
      '<userName>user</userName><password>pass</password>',
    );
    const { cookie } = await session.send(login);
    if (!cookie) throw new Error('Login gave no session');
    session.#cookie = cookie;
    return session;
  }

  /** Throws unless the answer is HTTP 200. */
  async send(body: string, options: { readonly keepsBody?: boolean } = {}): Promise<Reply> {
    return this.sendPrepared(this.prepare(body), options);
  }

  async sendPrepared(request: Buffer, options: { readonly keepsBody?: boolean } = {}): Promise<Reply> {
    const reply = await this.#connection.send(request, options);
    if (reply.status !== 200) throw new Error(`HTTP ${reply.status}: ${reply.body.slice(0, 1000)}`);
    return reply;
  }

  /** The bytes of a request: head and envelope. */
  prepare(body: string): Buffer {
    const envelope = `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
    const { host, port } = this.#address;
    const head = [
      'POST /sdk HTTP/1.1',
      `Host: ${host}:${port}`,
      'Content-Type: text/xml; charset=utf-8',
      'SOAPAction: "urn:vim25/8.0.3.0"',
      `Content-Length: ${Buffer.byteLength(envelope)}`,
      ...(this.#cookie ? [`Cookie: ${this.#cookie}`] : []),
    ];
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n${envelope}`);
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

/** A method's element. */
export function call(method: string, type: string, id: string, args = ''): string {
  return `<${method} xmlns="urn:vim25"><_this type="${type}">${id}</_this>${args}</${method}>`;
}

/** A ContainerView of all virtual machines; resolves with its id. */
export async function viewOfVms(session: SoapSession): Promise<string> {
  const args = '<container type="Folder">group-d1</container><type>VirtualMachine</type><recursive>true</recursive>';
  const { body } = await session.send(call('CreateContainerView', 'ViewManager', 'ViewManager', args));
  const view = /<returnval[^>]*>([^<]*)</.exec(body)?.[1];
  if (!view) throw new Error('CreateContainerView gave no view');
  return view;
}

/** What is in a view, with these properties. */
export function specOfView(view: string, paths: readonly string[]): string {
  const pathSets = paths.map((path) => `<pathSet>${path}</pathSet>`).join('');
  return `<propSet><type>VirtualMachine</type>${pathSets}</propSet><objectSet><obj type="ContainerView">${view}</obj><skip>true</skip><selectSet xsi:type="TraversalSpec"><name>v</name><type>ContainerView</type><path>view</path><skip>false</skip></selectSet></objectSet>`;
}

export function retrieval(view: string, paths: readonly string[]): string {
  const args = `<specSet>${specOfView(view, paths)}</specSet><options/>`;
  return call('RetrievePropertiesEx', 'PropertyCollector', 'propertyCollector', args);
}

/** The ids of the VMs in a view. */
export async function vmsOf(session: SoapSession, view: string): Promise<string[]> {
  const { body } = await session.send(retrieval(view, ['name']));
  return Array.from(body.matchAll(/<obj type="VirtualMachine"[^>]*>([^<]*)</g), ([, id]) => String(id));
}
