// Where a store is, as one text: what `--store` takes. Pure.
//
//   memory:
//   sqlite:///var/lib/vivarium/vpxd.db[?maxBytes=N]
//   etcd://[user[:password]@]host:port[,host:port…][/prefix][?ca=FILE&cert=FILE&key=FILE&…]
import { StoreError } from './errors.ts';

export type StoreAddress =
  | { readonly engine: 'memory'; readonly maxBytes?: number }
  | { readonly engine: 'sqlite'; readonly path: string; readonly maxBytes?: number }
  | EtcdAddress;

export interface EtcdAddress {
  readonly engine: 'etcd';
  /** http://host:port or https://host:port. */
  readonly urls: readonly string[];
  /** What all keys begin with; ends with a slash. */
  readonly root: string;
  /** Files in PEM form. */
  readonly tlsFiles: Readonly<Partial<Record<'ca' | 'cert' | 'key', string>>>;
  readonly user?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly timeoutMs?: number;
  readonly maintain: boolean;
}

const PARAMETERS: Readonly<Record<StoreAddress['engine'], readonly string[]>> = {
  memory: ['maxBytes'],
  sqlite: ['maxBytes'],
  etcd: ['ca', 'cert', 'key', 'tls', 'insecure', 'passwordFile', 'timeoutMs', 'maintain'],
};
const DEFAULT_PREFIX = 'vivarium';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Throws StoreError with what is wrong. Passwords never show in it. */
export function parseStoreUrl(text: string): StoreAddress {
  const match = /^(memory|sqlite|etcd):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?$/.exec(text);
  if (!match) {
    const known = 'memory:, sqlite:///path, etcd://host:port,host:port/prefix';
    throw new StoreError(`not the address of a store (${known}): ${text.replace(/\/\/.*@/, '//…@')}`);
  }
  const [, scheme = '', authority = '', path = '', query = ''] = match;
  const engine = scheme as StoreAddress['engine'];
  const parameters = parseParameters(engine, query);
  if (engine === 'etcd') return parseEtcd(authority, path, parameters);
  const maxBytes = numberOf(parameters, 'maxBytes');
  const bounds = maxBytes === undefined ? {} : { maxBytes };
  if (engine === 'memory') {
    if (authority !== '' || path !== '') throw new StoreError('memory: has no path');
    return { engine, ...bounds };
  }
  if (authority !== '' || !path.startsWith('/') || path.endsWith('/')) {
    throw new StoreError('sqlite:/// is followed by an absolute path of a file');
  }
  return { engine, path: decodeURIComponent(path), ...bounds };
}

function parseEtcd(authority: string, path: string, parameters: ReadonlyMap<string, string>): EtcdAddress {
  const at = authority.lastIndexOf('@');
  const [user = '', ...password] = at < 0 ? [] : authority.slice(0, at).split(':');
  const hosts = authority.slice(at + 1).split(',');
  const tlsFiles = Object.fromEntries(
    (['ca', 'cert', 'key'] as const).flatMap((name) => {
      const file = parameters.get(name);
      return file === undefined ? [] : [[name, file]];
    }),
  );
  if ('cert' in tlsFiles !== 'key' in tlsFiles) throw new StoreError('cert and key go together');
  const isTls = Object.keys(tlsFiles).length > 0 || parameters.get('tls') === 'true';
  const urls = hosts.map((host) => {
    const name = /^(\[[\da-fA-F:]+\]|[\w.-]+):(\d{1,5})$/.exec(host)?.[1];
    if (name === undefined) throw new StoreError(`etcd: not host:port: '${host}'`);
    if (!isTls && !LOOPBACK.test(name) && parameters.get('insecure') !== 'true') {
      throw new StoreError(
        `etcd: ${host} is another machine: name the CA's file with ?ca=FILE, or say ?tls=true to trust the system's CAs (?insecure=true goes without TLS)`,
      );
    }
    return `${isTls ? 'https' : 'http'}://${host}`;
  });
  const prefix = decodeURIComponent(path).replace(/^\/+|\/+$/g, '') || DEFAULT_PREFIX;
  const timeoutMs = numberOf(parameters, 'timeoutMs');
  const passwordFile = parameters.get('passwordFile');
  return {
    engine: 'etcd',
    urls,
    root: `${prefix}/`,
    tlsFiles,
    ...(user !== '' && { user: decodeURIComponent(user) }),
    ...(password.length > 0 && { password: decodeURIComponent(password.join(':')) }),
    ...(passwordFile !== undefined && { passwordFile }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    maintain: parameters.get('maintain') !== 'false',
  };
}

function parseParameters(engine: StoreAddress['engine'], query: string): ReadonlyMap<string, string> {
  const parameters = new Map(new URLSearchParams(query));
  for (const name of parameters.keys()) {
    if (!PARAMETERS[engine].includes(name)) {
      throw new StoreError(`${engine}: no parameter is named ${name}; there are: ${PARAMETERS[engine].join(', ')}`);
    }
  }
  return parameters;
}

function numberOf(parameters: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new StoreError(`${name} is a positive number, not '${text}'`);
  return Number(text);
}
