// Facts about the machine that need no help: read from /proc, /sys and /dev.
import { access, constants, open, readdir, statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { isRoot, readText } from '../state.ts';
import type { Fact } from './fact.ts';

const GIB = 2 ** 30;

export function userFact(): Fact {
  return isRoot
    ? { name: 'user', state: 'ok', detail: 'root: jailed VMMs, Open vSwitch, port 443 possible' }
    : {
        name: 'user',
        state: 'reduced',
        detail: 'not root: user-mode networking, no uid of its own for each VMM',
        mend: 'run as root to have all of it',
      };
}

export function memoryFact(): Fact {
  const free = freemem();
  const detail = `${(free / GIB).toFixed(1)} of ${(totalmem() / GIB).toFixed(1)} GiB free`;
  return free > GIB / 2
    ? { name: 'memory', state: 'ok', detail }
    : {
        name: 'memory',
        state: 'reduced',
        detail,
        mend: 'free some memory: the demo guest and its VMM need about 0.5 GiB',
      };
}

export async function spaceFact(folder: string): Promise<Fact> {
  let existing = folder;
  for (;;) {
    try {
      const { bavail, bsize } = await statfs(existing);
      const free = bavail * bsize;
      const detail = `${(free / GIB).toFixed(1)} GiB free for ${folder}`;
      return free > 2 * GIB
        ? { name: 'disk space', state: 'ok', detail }
        : {
            name: 'disk space',
            state: 'missing',
            detail,
            mend: 'free at least 2 GiB there, or choose another --state-dir',
          };
    } catch {
      existing = dirname(existing);
    }
  }
}

export async function tunFact(): Promise<Fact> {
  return (await opens('/dev/net/tun'))
    ? { name: 'tap', state: 'ok', detail: '/dev/net/tun opens' }
    : {
        name: 'tap',
        state: isRoot ? 'missing' : 'reduced',
        detail: '/dev/net/tun does not open: guests get user-mode networking',
        mend: isRoot ? 'modprobe tun' : 'run as root',
      };
}

export async function ksmFact(): Promise<Fact> {
  const run = (await readText('/sys/kernel/mm/ksm/run'))?.trim();
  if (run === undefined) return { name: 'page sharing', state: 'missing', detail: 'this kernel has no KSM' };
  if (run === '1') return { name: 'page sharing', state: 'ok', detail: 'KSM is on' };
  return {
    name: 'page sharing',
    state: 'reduced',
    detail: 'KSM is there, but off',
    mend: 'echo 1 > /sys/kernel/mm/ksm/run',
  };
}

export async function cgroupFact(): Promise<Fact> {
  const controllers = await readText('/sys/fs/cgroup/cgroup.controllers');
  if (controllers?.includes('cpu')) return { name: 'cgroups', state: 'ok', detail: `v2: ${controllers.trim()}` };
  const v1 = (await readdir('/sys/fs/cgroup').catch(() => [])).filter((name) =>
    ['cpu', 'memory', 'pids'].includes(name),
  );
  if (v1.length > 0) return { name: 'cgroups', state: 'ok', detail: `v1: ${v1.sort().join(' ')}` };
  return {
    name: 'cgroups',
    state: 'reduced',
    detail: 'no cpu or memory controller: limits of VMs are not enforced',
    mend: 'mount the cgroup file system',
  };
}

export async function datapathFact(): Promise<Fact> {
  if (!isRoot) return { name: 'virtual switch', state: 'reduced', detail: 'user-mode networking', mend: 'run as root' };
  const hasModule = (await readText('/proc/modules'))?.includes('openvswitch ') ?? false;
  return hasModule
    ? { name: 'virtual switch', state: 'ok', detail: 'Open vSwitch with the kernel’s datapath' }
    : {
        name: 'virtual switch',
        state: 'reduced',
        detail: 'Open vSwitch with its userspace datapath (slower)',
        mend: 'modprobe openvswitch, where the kernel has it',
      };
}

async function opens(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK | constants.W_OK);
    await (await open(path, 'r+')).close();
    return true;
  } catch {
    return false;
  }
}
