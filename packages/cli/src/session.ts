// A logged-in API session with a running instance.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VimClient } from '@vivarium/client';
import { type Credentials, findCredentials, findRunning, type Instance, type RunningHost, UserError } from './state.ts';

export interface HostSession extends AsyncDisposable {
  readonly client: VimClient;
  readonly url: string;
  readonly userName: string;
  readonly password: string;
}

/** What to trust: the host's own certificate, vCenter's authority. */
const CERTIFICATES = { hostd: ['ssl', 'rui.crt'], vpxd: ['certificates', 'root.crt'] } as const;

/** Throws a UserError when the instance does not run. */
export async function openSession(instance: Instance): Promise<HostSession> {
  const running = await findRunning(instance);
  if (!running) throw new UserError(`${instance.name} is not running`, 'start it with: ./viv up');
  const credentials = await requireCredentials(instance, running);
  const url = `https://${running.address}:${running.port}`;
  const certificate = await readFile(join(instance.stateDir, ...CERTIFICATES[instance.kind]), 'utf8');
  const client = new VimClient({ url, trust: { certificate } });
  try {
    await client.login(credentials.userName, credentials.password);
  } catch (error) {
    client.close();
    throw error;
  }
  return {
    client,
    url,
    ...credentials,
    async [Symbol.asyncDispose]() {
      await client.logout().catch(() => undefined);
      client.close();
    },
  };
}

/** Throws a UserError for a vCenter that serves nobody, or whose password was never here: its state came from elsewhere. */
export async function requireCredentials(instance: Instance, { standsBy }: RunningHost): Promise<Credentials> {
  if (standsBy)
    throw new UserError(`${instance.name} stands by: another vCenter leads`, 'ask where that one was brought up');
  const credentials = await findCredentials(instance);
  if (credentials) return credentials;
  const file = join(instance.stateDir, 'credentials.json');
  throw new UserError(
    `the administrator's password of ${instance.name} is not here, but where it was first brought up`,
    `log in with it, or write {"userName": …, "password": …} into ${file} (mode 0600)`,
  );
}
