// vcsim's flags: -name value, -name=value, booleans with or without a value. Pure.
// Source: `vcsim -h` of govmomi 0.5x.

export interface SimFlags {
  readonly listen: { readonly address: string; readonly port: number };
  /** Where the `export GOVC_URL=…` line goes: a file or fifo; `-` is standard output. */
  readonly environmentFile: string | undefined;
  readonly datacenters: number;
  readonly clusters: number;
  readonly hostsPerCluster: number;
  readonly standaloneHosts: number;
  readonly vmsPerPool: number;
  readonly datastores: number;
  readonly pools: number;
  /** vApps in each cluster. */
  readonly apps: number;
  /** Distributed port groups in each datacenter; without any there is no distributed switch. */
  readonly portgroups: number;
  /** Where requests are written down: a file, `-` for standard error; undefined = nowhere. */
  readonly traceFile: string | undefined;
  /** A host alone, instead of a vCenter. */
  readonly isEsx: boolean;
  readonly isAutostart: boolean;
  readonly isTls: boolean;
  /** Where the SDK tunnel listens, on the same address; 0 takes a free port; undefined = there is none. */
  readonly tunnelPort: number | undefined;
  readonly userName: string | undefined;
  readonly password: string | undefined;
  /** AboutInfo.apiVersion; undefined = what is served. */
  readonly apiVersion: string | undefined;
  /** How many datacenters lie in a folder of their own, with a folder in each of theirs. */
  readonly folders: number;
  /** With a saved inventory, instead of one that the numbers describe. */
  readonly loadFolder: string | undefined;
  /** Datastore clusters in each datacenter. */
  readonly pods: number;
  readonly delayMs: number;
  readonly methodDelayMs: ReadonlyMap<string, number>;
  readonly faults: readonly SimFault[];
}

/** `-fault Method:Fault[:vm name]`: calls of the method fail with the fault. */
export interface SimFault {
  readonly method: string;
  readonly fault: string;
  readonly vm: string | undefined;
}

export class FlagError extends Error {
  override readonly name = 'FlagError';
}

const DEFAULTS = {
  l: '127.0.0.1:8989',
  E: '',
  dc: '1',
  cluster: '1',
  host: '3',
  'standalone-host': '1',
  vm: '2',
  ds: '1',
  pool: '0',
  app: '0',
  pg: '1',
  esx: 'false',
  trace: 'false',
  'trace-file': '',
  autostart: 'true',
  tls: 'true',
  tunnel: '-1',
  username: '',
  password: '',
  'api-version': '',
  folder: '0',
  load: '',
  pod: '0',
  delay: '0',
  'method-delay': '',
  fault: '',
} as const;

type Name = keyof typeof DEFAULTS;

const LAST_PORT = 65_535;

const BOOLEANS: ReadonlySet<string> = new Set(['autostart', 'tls', 'esx', 'trace', 'stdinexit']);

/** vcsim has them, viv sim not yet: said so, instead of starting something else than was asked for. */
const NOT_BUILT: ReadonlySet<string> = new Set(['dump', 'nsx', 'pg-nsx', 'stdinexit']);
/** Accepted, and without a meaning here. */
const IGNORED: ReadonlySet<string> = new Set(['httptest.serve', 'delete-delay', 'delay-jitter']);

/** Throws FlagError with a sentence that says what to do. */
export function parseFlags(args: readonly string[]): SimFlags {
  const given = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const [, name = '', value] = /^--?([\w.-]+)(?:=(.*))?$/s.exec(args[at] ?? '') ?? [];
    if (name === '') throw new FlagError(`${args[at]} is not a flag; flags begin with a dash, see -h`);
    if (!isKnown(name)) throw new FlagError(`there is no flag -${name}; see -h`);
    if (value !== undefined) given.set(name, value);
    else if (BOOLEANS.has(name)) given.set(name, 'true');
    else {
      const next = args[++at];
      if (next === undefined) throw new FlagError(`-${name} needs a value`);
      given.set(name, next);
    }
  }
  for (const [name, value] of given) checkBuilt(name, value);
  if ((given.get('esx') ?? 'false') !== 'false' && given.get('tls') === 'false') {
    throw new FlagError('-esx is served over TLS alone; leave -tls=false out');
  }
  if ((given.get('load') ?? '') !== '' && (given.get('esx') ?? 'false') !== 'false') {
    throw new FlagError('-load is of a vCenter; leave it or -esx out');
  }
  if ((given.get('tunnel') ?? DEFAULTS.tunnel) !== DEFAULTS.tunnel) checkTunnel(given);
  const text = (name: Name) => given.get(name) ?? DEFAULTS[name];
  const count = (name: Name) => {
    const value = text(name);
    if (!/^\d{1,6}$/.test(value)) throw new FlagError(`-${name} needs a number, not ${value}`);
    return Number(value);
  };
  return {
    listen: parseAddress(text('l')),
    environmentFile: text('E') || undefined,
    datacenters: count('dc'),
    clusters: count('cluster'),
    hostsPerCluster: count('host'),
    standaloneHosts: count('standalone-host'),
    vmsPerPool: count('vm'),
    datastores: count('ds'),
    pools: count('pool'),
    apps: count('app'),
    portgroups: count('pg'),
    traceFile: text('trace-file') || (text('trace') === 'false' ? undefined : '-'),
    isEsx: text('esx') !== 'false',
    isAutostart: text('autostart') !== 'false',
    isTls: text('tls') !== 'false',
    tunnelPort: parseTunnel(text('tunnel')),
    userName: text('username') || undefined,
    password: text('password') || undefined,
    apiVersion: text('api-version') || undefined,
    folders: count('folder'),
    loadFolder: text('load') || undefined,
    pods: count('pod'),
    delayMs: count('delay'),
    methodDelayMs: parseDelays(text('method-delay')),
    faults: parseFaults(text('fault')),
  };
}

function isKnown(name: string): boolean {
  return Object.hasOwn(DEFAULTS, name) || IGNORED.has(name) || NOT_BUILT.has(name);
}

function checkBuilt(name: string, value: string): void {
  if (!NOT_BUILT.has(name)) return;
  // Their defaults mean nothing: -nsx 0.
  if (!['0', 'false', ''].includes(value)) throw new FlagError(`-${name} is not built yet in viv sim; leave it out`);
}

/** What the tunnel needs beside it. */
function checkTunnel(given: ReadonlyMap<string, string>): void {
  if ((given.get('esx') ?? 'false') !== 'false') {
    throw new FlagError('-tunnel is of a vCenter, where extensions log in; leave it or -esx out');
  }
  if (given.get('tls') === 'false') {
    throw new FlagError('-tunnel is for logins by TLS certificate; leave it or -tls=false out');
  }
}

function parseAddress(text: string): { address: string; port: number } {
  const [, address = '', port = ''] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (port === '' || Number(port) > LAST_PORT) throw new FlagError(`-l needs address:port, not ${text}`);
  return { address: address.replace(/^\[|\]$/g, '') || '0.0.0.0', port: Number(port) };
}

function parseTunnel(text: string): number | undefined {
  if (!/^(?:-1|\d{1,5})$/.test(text) || Number(text) > LAST_PORT)
    throw new FlagError(`-tunnel needs a port, 0 for a free one, not ${text}`);
  return text === '-1' ? undefined : Number(text);
}

function parseDelays(text: string): Map<string, number> {
  const delays = new Map<string, number>();
  for (const part of text.split(',').filter(Boolean)) {
    const [, method = '', ms = ''] = /^(\w+):(\d+)$/.exec(part) ?? [];
    if (method === '') throw new FlagError(`-method-delay needs Method:milliseconds, not ${part}`);
    delays.set(method, Number(ms));
  }
  return delays;
}

function parseFaults(text: string): SimFault[] {
  return text
    .split(',')
    .filter(Boolean)
    .map((part) => {
      const [, method = '', fault = '', vm] = /^(\w+):(\w+)(?::(.+))?$/.exec(part) ?? [];
      if (fault === '') throw new FlagError(`-fault needs Method:Fault or Method:Fault:vm, not ${part}`);
      return { method, fault, vm };
    });
}

export const USAGE = `viv sim: a vCenter over simulated hosts, started as vcsim is

  -l address:port       where it listens (127.0.0.1:8989; port 0 takes a free one)
  -E file               write 'export GOVC_URL=… GOVC_SIM_PID=…' there (a fifo or file; - is standard output)
  -dc n                 datacenters (1)
  -cluster n            clusters in each (1)
  -host n               hosts in each cluster (3)
  -standalone-host n    hosts in no cluster (1)
  -vm n                 virtual machines in each resource pool (2)
  -pool n               resource pools below each root pool (0)
  -app n                vApps in each cluster (0)
  -pg n                 distributed port groups in each datacenter (1); the VMs are on the first, without any on VM Network
  -ds n                 datastores in each datacenter (1)
  -load folder          the inventory that 'govc object.save -d folder' has saved of a vCenter, instead of the numbers' one
  -folder n             datacenters that lie in a folder, with a folder in each of their own (0)
  -pod n                datastore clusters in each datacenter (0)
  -esx                  a host alone, with its VMs and datastores (-vm, -ds), instead of a vCenter
  -autostart=false      leave the virtual machines powered off
  -username, -password  the only account that may log in (default: any)
  -tls=false            plain HTTP
  -tunnel port          an SDK tunnel there, for extensions that log in by certificate (default: none; 0 takes a free port)
  -delay ms             every task takes this long
  -method-delay M:ms    tasks of method M take this long
  -trace-file file      write down what clients ask below /sdk; -trace writes it to standard error
  -api-version v        the version that AboutInfo tells
  -fault M:Fault[:vm]   calls of method M fail with this fault

  viv sim uuidgen       prints a UUID
`;
