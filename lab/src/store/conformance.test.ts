// The suite that every engine passes, on a real cluster of three.
import { after, test } from 'node:test';
import { openStore, type Store } from '@vivarium/store';
import { testConformance } from '@vivarium/store/testing';
import { EtcdCluster } from './etcd-cluster.ts';
import { needsEtcd } from './use-etcd.ts';

if (needsEtcd.skip) {
  void test('the conformance suite on etcd', needsEtcd, () => undefined);
} else {
  const cluster = await EtcdCluster.start();
  after(() => cluster[Symbol.asyncDispose]());
  let places = 0;
  testConformance({
    name: 'etcd',
    isDurable: true,
    isShared: true,
    makePlace: async () => {
      places += 1;
      const url = `${cluster.url}/place-${places}`;
      const opened: Store[] = [];
      return {
        open: async () => {
          const store = await openStore(url);
          opened.push(store);
          return store;
        },
        [Symbol.asyncDispose]: async () => {
          for (const store of opened) await store.close();
        },
      };
    },
  });
}
