// For tests: a store whose writes take their time, as they do in a cluster. What is read meanwhile is what was there before.
import { openMemoryStore, type Store } from '@vivarium/store';

export function lateStore(): Store {
  const store = openMemoryStore();
  return new Proxy(store, {
    get(_target, name) {
      if (name === 'batch') {
        return async (...args: Parameters<Store['batch']>) => {
          await new Promise((resolve) => setImmediate(resolve));
          return store.batch(...args);
        };
      }
      const value: unknown = Reflect.get(store, name, store);
      return typeof value === 'function' ? value.bind(store) : value;
    },
  });
}
