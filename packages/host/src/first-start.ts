// What a host gets when it starts for the first time: a hardware UUID of its own, and its administrator.
import { readFile } from 'node:fs/promises';
import { type Random, uuid } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import type { Service } from '@vivarium/vmomi';
import type { HostdOptions } from './options.ts';

/** The same for ever. */
export async function hostUuid(store: Store, random: Random): Promise<string> {
  const key = 'host/uuid';
  const known = store.get<string>(key)?.value;
  if (known) return known;
  const made = uuid(random);
  await store.batch([{ put: key, value: made }]);
  return made;
}

/** The user of the credentials file, while the host has no other user. */
export async function ensureAdministrator(
  { accounts, authorization }: Service,
  { credentialsFile }: Pick<HostdOptions, 'credentialsFile'>,
): Promise<void> {
  const hasUsers = accounts.listUsers().some(({ userName }) => !accounts.isServiceUser(userName));
  if (hasUsers || !credentialsFile) return;
  const { userName, password } = JSON.parse(await readFile(credentialsFile, 'utf8')) as {
    userName: string;
    password: string;
  };
  // The account last: while it is not there, the next start does all of this again.
  await authorization.grantAdmin(userName);
  await accounts.addUser(userName, password, 'Administrator');
}
