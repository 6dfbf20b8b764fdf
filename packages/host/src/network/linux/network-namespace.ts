// A named network namespace (as `ip netns` keeps them, under /run/netns): made once, found again by any later process.
// Code runs inside it only synchronously, on this thread; child processes that are spawned there stay there.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '@vivarium/base';
import { CLONE_NEWNET, type Libc, SystemCallError } from './libc.ts';

const NAMED_NAMESPACES = '/run/netns';
const THIS_THREAD = '/proc/thread-self/ns/net';

export interface NetworkNamespace {
  readonly name: string;
  /** Identity of the namespace as /proc/PID/ns/net shows it: `net:[4026532177]`. */
  readonly identity: string;
  /** Open until `close`. */
  readonly descriptor: number;
  /** Runs `section` with this thread in the namespace. It must not wait: a promise would go on outside. */
  run<T>(section: () => T extends Promise<unknown> ? never : T): T;
  /** A kernel setting below /proc/sys/net of this namespace, e.g. `ipv4/ip_forward`. */
  readSetting(path: string): string;
  writeSetting(path: string, value: string): void;
  /** Lets go of the handle; the namespace stays. */
  close(): void;
  /** Takes the name away: the kernel ends the namespace, and every device in it, with its last process. */
  remove(): void;
}

/** Finds the namespace of this name, or makes it. Throws SystemCallError (EPERM without CAP_SYS_ADMIN). */
export function ensureNetworkNamespace(libc: Libc, name: string): NetworkNamespace {
  mkdirSync(NAMED_NAMESPACES, { recursive: true, mode: 0o755 });
  const path = join(NAMED_NAMESPACES, name);
  if (!isNamespaceFile(path)) create(libc, path);
  return open(libc, name, path);
}

/** The namespace of this name if there is one. */
export function findNetworkNamespace(libc: Libc, name: string): NetworkNamespace | undefined {
  const path = join(NAMED_NAMESPACES, name);
  return isNamespaceFile(path) ? open(libc, name, path) : undefined;
}

function open(libc: Libc, name: string, path: string): NetworkNamespace {
  const handle = openSync(path, 'r');
  const run: NetworkNamespace['run'] = (section) => {
    const home = openSync(THIS_THREAD, 'r');
    try {
      libc.setns(handle, CLONE_NEWNET);
      try {
        return section();
      } finally {
        goHome(libc, home);
      }
    } finally {
      closeSync(home);
    }
  };
  return {
    name,
    descriptor: handle,
    identity: `net:[${statSync(path).ino}]`,
    run,
    readSetting: (setting) => run(() => readFileSync(`/proc/sys/net/${setting}`, 'utf8')).trim(),
    writeSetting: (setting, value) => run(() => writeFileSync(`/proc/sys/net/${setting}`, value)),
    close: () => closeSync(handle),
    remove: () => removeName(libc, path),
  };
}

// The new namespace is this thread's for a moment, so that the mount can name it through /proc.
function create(libc: Libc, path: string): void {
  closeSync(openSync(path, 'a', 0o444));
  const home = openSync(THIS_THREAD, 'r');
  try {
    libc.unshare(CLONE_NEWNET);
    try {
      libc.bindMount(THIS_THREAD, path);
    } finally {
      goHome(libc, home);
    }
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(home);
  }
}

function goHome(libc: Libc, home: number): void {
  try {
    libc.setns(home, CLONE_NEWNET);
  } catch (error) {
    // Everything that this process did from now on would happen in the wrong network.
    invariant(false, `cannot return to the machine's network namespace: ${String(error)}`);
  }
}

function removeName(libc: Libc, path: string): void {
  try {
    libc.unmountDetached(path);
  } catch (error) {
    if (!(error instanceof SystemCallError) || (error.code !== 'EINVAL' && error.code !== 'ENOENT')) throw error;
  }
  rmSync(path, { force: true });
}

// A name whose mount is gone (the machine was restarted, or somebody unmounted it) is an empty ordinary file: on another
// file system than the nsfs that namespaces are on.
function isNamespaceFile(path: string): boolean {
  const file = statSync(path, { throwIfNoEntry: false });
  return file !== undefined && file.dev === statSync(THIS_THREAD).dev;
}
