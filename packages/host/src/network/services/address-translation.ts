// The guests' way out of the machine as nftables rules, in a table of the host's own: nobody else's rules are touched. Pure.
import { type AddressPlan, formatSubnet } from './subnet.ts';

export const NFT = '/usr/sbin/nft';

/** A script for `nft -f`: makes the table, or replaces the one that is there in one transaction. */
export function translationRules(table: string, device: string, plan: AddressPlan): string {
  const sources = `{ ${formatSubnet(plan.guests)}, ${formatSubnet(plan.link)} }`;
  return [
    `table ip ${table}`, // so that the deletion finds one
    `delete table ip ${table}`,
    `table ip ${table} {`,
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    `    ip saddr ${sources} oifname != "${device}" masquerade`,
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Names of base chains at the forward hook that drop by default, from `nft -j list chains`: they may stop the guests' traffic. */
export function droppingForwardChains(listing: string): string[] {
  const parsed = JSON.parse(listing) as { nftables?: readonly { chain?: Readonly<Record<string, unknown>> }[] };
  return (parsed.nftables ?? []).flatMap(({ chain }) =>
    chain?.['hook'] === 'forward' &&
    chain['policy'] === 'drop' &&
    (chain['family'] === 'ip' || chain['family'] === 'inet')
      ? [`${String(chain['family'])} ${String(chain['table'])} ${String(chain['name'])}`]
      : [],
  );
}
