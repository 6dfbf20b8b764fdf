// The cable between the machine's network and a host's namespace, with its addresses, routes and address translation.
import { networkInterfaces } from 'node:os';
import type { Logger } from '@vivarium/base';
import { listDevices } from '../linux/devices.ts';
import type { NetworkNamespace } from '../linux/network-namespace.ts';
import type { NetworkFact } from '../provider.ts';
import { droppingForwardChains, NFT, translationRules } from '../services/address-translation.ts';
import { type AddressPlan, addressAt, formatSubnet } from '../services/subnet.ts';
import { runTool, ToolFailure, type Tools } from '../tools.ts';
import { ensureForwarding, restoreForwarding, wasForwardingSwitchedOn } from './forwarding.ts';

const IP = '/usr/bin/ip';
/** The cable's end in the namespace. */
export const UPLINK = 'uplink';

export interface HostLink {
  /** Name of the cable's end on the machine, of the namespace and of the rules' table, e.g. `viv-1a2b3c4d`. */
  readonly name: string;
  readonly namespace: NetworkNamespace;
  readonly plan: AddressPlan;
}

/** Makes the cable, or finds it as it should be. */
export async function ensureHostLink(tools: Tools, { name, namespace, plan }: HostLink): Promise<void> {
  const isWhole =
    listDevices().includes(name) &&
    listDevices(namespace).includes(UPLINK) &&
    hasAddress(name, addressAt(plan.link, 1));
  if (!isWhole) await createCable(tools, name, namespace);
  await ipBatch(tools, [
    `address replace ${addressAt(plan.link, 1)}/${plan.link.prefixLength} dev ${name}`,
    `link set ${name} up`,
    `route replace ${formatSubnet(plan.guests)} via ${addressAt(plan.link, 2)} dev ${name}`,
  ]);
  await ipBatch(
    tools,
    [
      'link set lo up',
      `address replace ${addressAt(plan.link, 2)}/${plan.link.prefixLength} dev ${UPLINK}`,
      `link set ${UPLINK} up`,
      `route replace default via ${addressAt(plan.link, 1)} dev ${UPLINK}`,
    ],
    namespace,
  );
  namespace.writeSetting('ipv4/ip_forward', '1');
}

/** Lets the guests out through the machine. What does not work is a fact, not an error: they still reach the machine. */
export async function ensureTranslation(tools: Tools, link: HostLink, log: Logger): Promise<NetworkFact[]> {
  try {
    if (ensureForwarding()) log.warn({ setting: 'net.ipv4.ip_forward' }, 'IP forwarding switched on for the guests');
    await runTool(tools, { program: NFT, args: ['-f', '-'], stdin: translationRules(link.name, link.name, link.plan) });
    const dropping = droppingForwardChains(await runTool(tools, { program: NFT, args: ['-j', 'list', 'chains'] }));
    return [translationFact(link.plan), ...dropping.map((chain) => droppingFact(chain, link))];
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return [{ name: 'nat', ok: false, detail: `guests cannot reach beyond this machine: ${detail}` }];
  }
}

/** Takes away everything that ensureHostLink and ensureTranslation made; what is not there is no error. */
export async function removeHostLink(tools: Tools, name: string): Promise<void> {
  await ignoringFailure(runTool(tools, { program: NFT, args: ['delete', 'table', 'ip', name] }));
  if (listDevices().includes(name)) await ipBatch(tools, [`link delete ${name}`]);
  if (!listDevices().some((device) => /^viv-[0-9a-f]{8}$/.test(device))) restoreForwarding();
}

export async function ipBatch(tools: Tools, commands: readonly string[], namespace?: NetworkNamespace): Promise<void> {
  const stdin = `${commands.join('\n')}\n`;
  await runTool(tools, { program: IP, args: ['-batch', '-'], stdin, ...(namespace ? { namespace } : {}) });
}

// The namespace is named by an open descriptor: its pid or file would have to be visible in the tool's own namespaces.
async function createCable(tools: Tools, name: string, namespace: NetworkNamespace): Promise<void> {
  if (listDevices().includes(name)) await ipBatch(tools, [`link delete ${name}`]);
  const peer = ['peer', 'name', UPLINK, 'netns', '/proc/self/fd/3'];
  await runTool(tools, {
    program: IP,
    args: ['link', 'add', name, 'type', 'veth', ...peer],
    descriptor: namespace.descriptor,
  });
}

function hasAddress(device: string, address: string): boolean {
  return networkInterfaces()[device]?.some((entry) => entry.address === address) ?? false;
}

function translationFact(plan: AddressPlan): NetworkFact {
  const how = wasForwardingSwitchedOn() ? '; net.ipv4.ip_forward was switched on for that' : '';
  return {
    name: 'nat',
    ok: true,
    detail: `guests of ${formatSubnet(plan.guests)} reach out through this machine${how}`,
  };
}

function droppingFact(chain: string, link: HostLink): NetworkFact {
  return {
    name: 'firewall',
    ok: false,
    detail: `the machine's firewall drops forwarded packets by default (chain ${chain}): guests may not reach out`,
    mend: `nft insert rule ${chain} iifname "${link.name}" accept; nft insert rule ${chain} oifname "${link.name}" accept`,
  };
}

async function ignoringFailure(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error;
  }
}
