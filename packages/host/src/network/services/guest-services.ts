// What the host does for its guests on the serviced port group: gateway address, DHCP, DNS with the VMs' names.

import { readFileSync } from 'node:fs';
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger } from '@vivarium/base';
import { Daemon } from '../linux/daemon.ts';
import { listDevices } from '../linux/devices.ts';
import type { NetworkNamespace } from '../linux/network-namespace.ts';
import { ipBatch } from '../machine/host-link.ts';
import type { NetworkFact } from '../provider.ts';
import type { Tools } from '../tools.ts';
import { DNSMASQ, DNSMASQ_USER, type DnsmasqFiles, dnsmasqArguments, dnsmasqMarker, hostsLine } from './dnsmasq.ts';
import { type AddressPlan, addressAt } from './subnet.ts';

export interface ServiceSurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tools: Tools;
  readonly namespace: NetworkNamespace;
  /** Leases and names are kept here; everything in it can be read by dnsmasq. */
  readonly folder: string;
  /** The switch's internal device that the guests' gateway address goes on. */
  readonly device: string;
  readonly plan: AddressPlan;
}

/** DHCP server port (RFC 2131), as /proc/net/udp writes it. */
const DHCP_PORT = ':0043 ';

export class GuestServices {
  readonly #around: ServiceSurroundings;
  readonly #files: DnsmasqFiles;
  readonly #dnsmasq: Daemon;

  constructor(around: ServiceSurroundings) {
    this.#around = around;
    const { folder, device, plan, namespace } = around;
    this.#files = {
      leases: join(folder, 'dhcp.leases'),
      hostsFolder: join(folder, 'dhcp-names'),
      resolvers: join(folder, 'resolv.conf'),
    };
    const isListening = () => readFileSync('/proc/thread-self/net/udp', 'utf8').includes(DHCP_PORT);
    this.#dnsmasq = new Daemon(
      {
        name: 'dnsmasq',
        program: DNSMASQ,
        args: dnsmasqArguments(device, plan, this.#files),
        marker: dnsmasqMarker(this.#files),
        logFile: join(folder, 'dnsmasq.log'),
        folders: [folder],
        capabilities: DNSMASQ_USER.capabilities,
        isReady: () => Promise.resolve(namespace.run(isListening)),
      },
      { ...around, onRestarted: () => undefined },
    );
  }

  async start(resolvers: readonly string[]): Promise<NetworkFact> {
    await this.#prepareFiles(resolvers);
    await this.ensureAddress();
    await this.#dnsmasq.ensure();
    return resolvers.length > 0
      ? { name: 'dns', ok: true, detail: `guests' queries go to ${resolvers.join(', ')}` }
      : {
          name: 'dns',
          ok: false,
          detail: 'no name server of this machine can be reached from its guests: they resolve each other only',
        };
  }

  /** Puts the gateway address on the device: again after the switch made it anew. No-op while there is no such device. */
  async ensureAddress(): Promise<void> {
    const { tools, namespace, device, plan } = this.#around;
    if (!listDevices(namespace).includes(device)) return;
    const address = `${addressAt(plan.guests, 1)}/${plan.guests.prefixLength}`;
    await ipBatch(tools, [`address replace ${address} dev ${device}`, `link set ${device} up`], namespace);
  }

  /** The guest behind this NIC is told the VM's name, and answers to it from its next lease on. */
  async name(nic: { ifname: string; mac: string; vmName: string }): Promise<void> {
    const line = hostsLine(nic.mac, nic.vmName);
    const path = join(this.#files.hostsFolder, nic.ifname);
    const former = await readFile(path, 'utf8').catch(() => undefined);
    if (line === undefined || line === former) return;
    await writeFile(path, line, { mode: 0o644 });
    if (former !== undefined) this.#dnsmasq.reload(); // dnsmasq reads new files by itself, and drops old lines on SIGHUP only
  }

  async forget(ifname: string): Promise<void> {
    await rm(join(this.#files.hostsFolder, ifname), { force: true });
    this.#dnsmasq.reload();
  }

  async release(): Promise<void> {
    await this.#dnsmasq.release();
  }

  // dnsmasq reads and writes them as another user. The network folder above keeps everybody else out; in dnsmasq's own view
  // of the files that folder is not there.
  async #prepareFiles(resolvers: readonly string[]): Promise<void> {
    await mkdir(this.#files.hostsFolder, { recursive: true, mode: 0o755 });
    await writeFile(this.#files.leases, '', { flag: 'a' });
    await chown(this.#files.leases, DNSMASQ_USER.uid, DNSMASQ_USER.uid);
    await writeFile(this.#files.resolvers, resolvers.map((server) => `nameserver ${server}\n`).join(''), {
      mode: 0o644,
    });
  }
}
