// For tests: a service with vCenter's personality over a store in a temporary file, an embedded domain, a small inventory,
// and the Automation API behind Fastify, which is asked without a network.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Logger, silentLogger } from '@vivarium/base';
import { systemRandom } from '@vivarium/base/node';
import { openSqliteStore } from '@vivarium/store';
import { moRef } from '@vivarium/vim';
import { Service } from '@vivarium/vmomi';
import Fastify, { type FastifyInstance } from 'fastify';
import { aboutCenter } from '../about.ts';
import { registerStoragePolicyService } from '../pbm/storage-policy-service.ts';
import { automationOperations, registerAutomation } from '../rest/automation.ts';
import { openApiDocument } from '../rest/openapi.ts';
import { joinDomain } from '../sso/join-domain.ts';
import { SsoDomain } from '../sso/sso-domain.ts';
import { Tagging } from '../tagging/tagging.ts';
import { Conformance, type Document } from './conformance.ts';
import { addSmallInventory, ROOT } from './small-inventory.ts';
import { TestClock } from './test-clock.ts';

/** The user Administrator@vivarium.local. */
export const ADMIN = { userName: 'Administrator@vivarium.local', password: 'Vivarium-1' };

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body, parsed; undefined when it is empty. */
  readonly body: unknown;
}

export interface SmallCenter {
  readonly service: Service;
  readonly clock: TestClock;
  readonly domain: SsoDomain;
  readonly tagging: Tagging;
  readonly app: FastifyInstance;
  readonly directory: string;
  /** Everything logged as an error. */
  readonly errors: object[];
  /** Everything else that was logged. */
  readonly logged: object[];
  readonly conformance: Conformance;
  /** A request as the administrator, or with these headers. Fails when the answer is not as the OpenAPI document says. */
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Headers with a session of this user. */
  logIn(userName: string, password: string): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

export async function smallCenter(context: TestContext, options: { directory?: string } = {}): Promise<SmallCenter> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'viv-vcenter-'));
  const store = openSqliteStore(join(directory, 'store.db'));
  const clock = new TestClock();
  const errors: object[] = [];
  const logged: object[] = [];
  const note = (data: object) => void logged.push(data);
  const error = (data: object) => void errors.push(data);
  const log: Logger = { ...silentLogger, debug: note, info: note, warn: note, error };
  const domain = new SsoDomain({ store, random: systemRandom, clock });
  await domain.ensureAdministrator(async () => undefined, ADMIN.password);
  const service = new Service({
    clock,
    random: systemRandom,
    log,
    store,
    users: domain,
    about: aboutCenter('0.0.0', 'd9a1c5c4-5a2f-4b0e-9d0a-2f4a3f1f0a11'),
    instance: 'VirtualCenter',
    rootFolder: moRef('Folder', ROOT.value),
  });
  addSmallInventory(service);
  await joinDomain(service, domain);
  const tagging = new Tagging(store, systemRandom);
  tagging.watch(service.graph, (error) => void errors.push({ error }));
  const app = Fastify();
  registerAutomation(app, { service, tagging, domain });
  registerStoragePolicyService(app, service);
  service.register(app);
  await app.ready();
  const document = openApiDocument(automationOperations({ service, tagging, domain }), '0.0.0') as unknown as Document;
  const conformance = new Conformance(document);
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await app.close();
    await service.close();
    await store.close();
  };
  context.after(async () => {
    await stop();
    if (!options.directory) rmSync(directory, { recursive: true });
  });

  let admin: Record<string, string> | undefined;
  const logIn = async (userName: string, password: string) => {
    const basic = Buffer.from(`${userName}:${password}`).toString('base64');
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url: '/api/session',
      headers: { authorization: `Basic ${basic}` },
    });
    if (statusCode !== 201) throw new Error(`${userName} cannot log in: ${body}`);
    return { 'vmware-api-session-id': JSON.parse(body) as string };
  };
  const send: SmallCenter['send'] = async (method, path, body, headers) => {
    const sent = headers ?? (admin ??= await logIn(ADMIN.userName, ADMIN.password));
    const answer = await app.inject({
      method: method as 'GET',
      url: path,
      headers: { 'content-type': 'application/json', ...sent },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const parsed: unknown = answer.body === '' ? undefined : JSON.parse(answer.body);
    if (/^\/(rest|api)\//.test(path)) conformance.check(method, path, answer.statusCode, parsed);
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: parsed };
  };
  return { service, clock, domain, tagging, app, directory, errors, logged, conformance, send, logIn, stop };
}
