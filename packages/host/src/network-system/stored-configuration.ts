// The network configuration's document in the host's store.
import type { Store } from '@vivarium/store';
import { INITIAL_CONFIGURATION, type NetworkConfiguration } from '../network/configuration.ts';

const KEY = 'network/config';

/** What was stored last; a new host's for a new host. */
export function loadConfiguration(store: Pick<Store, 'get'>): NetworkConfiguration {
  return store.get<NetworkConfiguration>(KEY)?.value ?? INITIAL_CONFIGURATION;
}

/** Returns when it is on disk. */
export async function storeConfiguration(
  store: Pick<Store, 'batch'>,
  configuration: NetworkConfiguration,
): Promise<void> {
  await store.batch([{ put: KEY, value: configuration }]);
}
