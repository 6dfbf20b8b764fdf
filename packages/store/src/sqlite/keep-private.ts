// A store holds secrets (password hashes, keys): its files are its owner's alone. SQLite gives its log files the mode of the database.
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';

const OWNER_ALONE = 0o600;

/** Makes the file, empty, if there is none. Throws as `fs` does. */
export function keepPrivate(path: string): void {
  if (path === ':memory:') return;
  closeSync(openSync(path, 'a', OWNER_ALONE));
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(`${path}${suffix}`)) chmodSync(`${path}${suffix}`, OWNER_ALONE);
  }
}
