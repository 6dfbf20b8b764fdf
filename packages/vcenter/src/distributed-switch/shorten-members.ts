// Migration 1: a switch's members came out of its configuration, as whole DistributedVirtualSwitchHostMember objects of 0.36 KB each
// made its document too large for a store with some 2,500 hosts. Pure; its types are those of the documents then.
import type { DocumentReader, Op } from '@vivarium/store';

interface Before {
  readonly config: {
    readonly host?: readonly {
      readonly config: {
        readonly host?: object;
        readonly maxProxySwitchPorts: number;
        readonly backing?: { readonly pnicSpec?: readonly { readonly pnicDevice: string }[] };
      };
    }[];
  };
}

export function* shortenMembers(documents: DocumentReader): Iterable<Op> {
  for (const { key, value } of documents.range<Before>('inventory/entity/VmwareDistributedVirtualSwitch:')) {
    const { host: former = [], ...config } = value.config;
    const members = former.map(({ config: { host, maxProxySwitchPorts, backing } }) => ({
      host,
      maxProxySwitchPorts,
      pnics: (backing?.pnicSpec ?? []).map(({ pnicDevice }) => pnicDevice),
    }));
    yield { put: key, value: { ...value, config, members } };
  }
}
