// Opens a store by its address. An engine's code is loaded when it is asked for.
import { readFile } from 'node:fs/promises';
import { StoreError } from './errors.ts';
import { openMemoryStore } from './memory/memory-store.ts';
import type { Store } from './store.ts';
import { type EtcdAddress, parseStoreUrl } from './store-url.ts';

/**
 * `memory:`, `sqlite:///path`, `etcd://[user[:password]@]host:port,…[/prefix][?ca=FILE…]`: see the README. Rejects with
 * StoreError when it is no such address or its files cannot be read, StoreLocked, StoreUnavailable.
 */
export async function openStore(url: string): Promise<Store> {
  const address = parseStoreUrl(url);
  switch (address.engine) {
    case 'memory':
      return openMemoryStore(address);
    case 'sqlite': {
      const { openSqliteStore } = await import('./sqlite/sqlite-store.ts');
      return openSqliteStore(address.path, address);
    }
    case 'etcd':
      return openEtcd(address);
  }
}

async function openEtcd(address: EtcdAddress): Promise<Store> {
  const { urls, root, tlsFiles, user, passwordFile, timeoutMs, maintain } = address;
  const tls: Record<string, Buffer> = {};
  for (const [name, file] of Object.entries(tlsFiles)) tls[name] = await readNamed(file);
  const password = passwordFile === undefined ? address.password : (await readNamed(passwordFile)).toString().trimEnd();
  const { openEtcdStore } = await import('./etcd/etcd-store.ts');
  return openEtcdStore({
    urls,
    root,
    tls,
    maintain,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(user !== undefined && { login: { user, password: password ?? '' } }),
  });
}

async function readNamed(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new StoreError(`read ${file}`, { cause });
  }
}
