// What a runtime root is made of. Data only: a change here makes a new runtime beside the old ones.
import { createHash } from 'node:crypto';
import type { DebianPackage } from './package-archive.ts';

export interface Recipe {
  /** Raised when the code that builds a root changes what comes out. */
  readonly revision: number;
  readonly packages: readonly string[];
  /** Packages that only serve installing and configuring a system: their files are left out. */
  readonly leftOut: readonly string[];
  /** tar patterns of files that no program of the root reads. */
  readonly exclude: readonly string[];
  /** Links that update-alternatives would have made: path in the root -> target. */
  readonly links: Readonly<Record<string, string>>;
}

export const RUNTIME_RECIPE: Recipe = {
  revision: 1,
  packages: [
    ...['qemu-system-x86', 'qemu-utils', 'ipxe-qemu', 'seabios', 'ovmf'],
    ...['openvswitch-switch', 'dnsmasq-base', 'nftables', 'iproute2'],
    ...['bubblewrap', 'util-linux', 'xorriso'],
  ],
  leftOut: [
    ...['systemd', 'libsystemd-shared', 'init-system-helpers', 'debconf', 'libdebconfclient0', 'base-passwd'],
    ...['adduser', 'passwd', 'login.defs', 'procps', 'libproc2-0', 'openssl', 'openssl-provider-legacy', 'kmod'],
    ...['libpam-modules', 'libpam-modules-bin', 'libpam-runtime', 'libaudit-common', 'libsemanage-common', 'netbase'],
    ...['uuid-runtime', 'libdb5.3t64', 'libcap2-bin', 'libnss3', 'libnspr4', 'readline-common'],
  ],
  exclude: [
    ...[
      './usr/share/doc/*',
      './usr/share/man/*',
      './usr/share/locale/*',
      './usr/share/info/*',
      './usr/share/lintian/*',
    ],
    ...['./usr/share/bash-completion/*', './usr/share/zsh/*', './usr/share/bug/*', './usr/share/applications/*'],
    ...[
      './usr/share/icons/*',
      './usr/share/alsa/*',
      './usr/share/systemtap/*',
      './usr/lib/systemd/*',
      './etc/init.d/*',
    ],
    ...[
      './usr/share/gdb/*',
      './usr/share/python3/*',
      './usr/share/metainfo/*',
      './usr/lib/python3/*',
      './etc/apparmor.d/*',
    ],
    ...[
      './usr/lib/x86_64-linux-gnu/gconv/*',
      './usr/lib/locale/*',
      './etc/logrotate.d/*',
      './etc/cron*',
      './etc/default/*',
    ],
    // Machines that are not PCs, and second copies of what is there.
    ...['./usr/bin/qemu-system-i386', './usr/bin/qemu-system-x86_64-microvm', './usr/share/ovmf/*'],
    ...[
      './usr/share/qemu/openbios-*',
      './usr/share/qemu/skiboot.lid',
      './usr/share/qemu/slof.bin',
      './usr/share/qemu/u-boot*',
    ],
  ],
  links: { 'usr/sbin/ovs-vswitchd': '../lib/openvswitch-switch/ovs-vswitchd' },
};

/** Identity of a recipe: a root that carries it was made by this recipe, from whatever package versions. */
export function recipeHash(recipe: Recipe): string {
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
}

/** `qemu-11.1.3-0123456789ab`: the QEMU version and a hash over the recipe and every package version. */
export function runtimeName(recipe: Recipe, packages: readonly DebianPackage[], qemuVersion: string): string {
  const versions = packages.map(({ name, version }) => `${name}=${version}`).sort();
  const hash = createHash('sha256')
    .update(JSON.stringify([recipe, versions]))
    .digest('hex')
    .slice(0, 12);
  return `qemu-${qemuVersion}-${hash}`;
}
