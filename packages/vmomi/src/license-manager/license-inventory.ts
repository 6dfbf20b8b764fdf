// Which licence keys there are, how they are labelled, and to whom they are assigned: in the store. A key is a name here: it is
// neither checked nor does anything depend on it, for every feature is there without one.
import { Mutex } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import { type LicenseManagerLicenseInfo, MethodFault, make } from '@vivarium/vim';

/** vSphere's own key of the evaluation mode, which needs no licence. It is always there; here it never ends. */
export const EVALUATION = '00000-00000-00000-00000-00000';

const KEYS = 'license/key/';
const ASSIGNMENTS = 'license/assignment/';
const FORM = /^[0-9A-Z]{5}(-[0-9A-Z]{5}){4}$/;
/** vSphere names no limit; everything has one here. */
const MOST_KEYS = 1000;
const MOST_LABELS = 100;

export type Labels = Readonly<Record<string, string>>;

export class LicenseInventory {
  readonly #store: Store;
  readonly #keys: Map<string, Labels>;
  readonly #assignments: Map<string, string>;
  readonly #mutex = new Mutex();
  readonly #isKnown: (entityId: string) => boolean;
  readonly #product: { readonly name: string; readonly version: string };

  /** `isKnown`: whether there still is such an entity. What is assigned to others does not count. */
  constructor(
    store: Store,
    product: { readonly name: string; readonly version: string },
    isKnown: (entityId: string) => boolean,
  ) {
    this.#store = store;
    this.#product = product;
    this.#isKnown = isKnown;
    this.#keys = new Map([[EVALUATION, {}], ...entries<Labels>(store, KEYS)]);
    this.#assignments = new Map(entries<string>(store, ASSIGNMENTS));
  }

  get keys(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** What was assigned by name, by the id of the entity. All others are in evaluation mode. */
  get assignments(): ReadonlyMap<string, string> {
    return this.#assignments;
  }

  /** Also of a key that is not in the inventory. Faults: InvalidArgument, when it has not the form of a key. */
  info(key: string): LicenseManagerLicenseInfo {
    const { name, version } = this.#product;
    const isEvaluation = requireForm(key) === EVALUATION;
    const labels = Object.entries(this.#keys.get(key) ?? {});
    return make('LicenseManagerLicenseInfo', {
      licenseKey: key,
      editionKey: isEvaluation ? 'eval' : 'vivarium',
      name: isEvaluation ? 'Evaluation Mode' : `${name} (a key that is not checked)`,
      total: 0, // no limit
      used: this.#usersOf(key).length,
      costUnit: 'server',
      properties: [
        make('KeyAnyValue', { key: 'ProductName', value: name }),
        make('KeyAnyValue', { key: 'ProductVersion', value: version }),
      ],
      ...(labels.length > 0 ? { labels: labels.map(([label, value]) => make('KeyValue', { key: label, value })) } : {}),
    });
  }

  /** Fault: InvalidArgument, when there is no such key. */
  require(key: string): Labels {
    const labels = this.#keys.get(key);
    if (!labels) throw invalidKey();
    return labels;
  }

  /** A key that is there keeps its labels but for those that are given. Faults: InvalidArgument, LimitExceeded. */
  add(key: string, labels: Labels): Promise<void> {
    return this.#mutex.run(async () => {
      requireForm(key);
      if (!this.#keys.has(key)) requireRoom('licenses', this.#keys.size, MOST_KEYS);
      await this.#keep(key, { ...this.#keys.get(key), ...labels });
    });
  }

  /** Removing what is not there is no mistake, as in vSphere. Faults: InvalidArgument (the evaluation key), ResourceInUse. */
  remove(key: string): Promise<void> {
    return this.#mutex.run(async () => {
      if (key === EVALUATION) throw invalidKey();
      if (!this.#keys.has(key)) return;
      if (this.#usersOf(key).length > 0) {
        throw new MethodFault('ResourceInUse', { type: 'License', name: key });
      }
      await this.#store.batch([{ delete: KEYS + key }]);
      this.#keys.delete(key);
    });
  }

  /** An empty value takes the label away. Faults: InvalidArgument, LimitExceeded. */
  label(key: string, label: string, value: string): Promise<void> {
    return this.#mutex.run(async () => {
      const labels = this.require(key);
      if (label === '') throw new MethodFault('InvalidArgument', { invalidProperty: 'labelKey' });
      const { [label]: _former, ...others } = labels;
      await this.#keep(key, value === '' ? others : { ...labels, [label]: value });
    });
  }

  assign(entityId: string, key: string): Promise<void> {
    return this.#mutex.run(async () => {
      const gone = [...this.#assignments.keys()].filter((id) => !this.#isKnown(id));
      const removed = key === EVALUATION ? [...gone, entityId] : gone;
      await this.#store.batch([
        ...removed.map((id) => ({ delete: ASSIGNMENTS + id })),
        ...(key === EVALUATION ? [] : [{ put: ASSIGNMENTS + entityId, value: key }]),
      ]);
      for (const id of removed) this.#assignments.delete(id);
      if (key !== EVALUATION) this.#assignments.set(entityId, key);
    });
  }

  #usersOf(key: string): string[] {
    return [...this.#assignments].filter(([id, own]) => own === key && this.#isKnown(id)).map(([id]) => id);
  }

  async #keep(key: string, labels: Labels): Promise<void> {
    requireRoom('labels', Object.keys(labels).length, MOST_LABELS + 1);
    await this.#store.batch([{ put: KEYS + key, value: labels }]);
    this.#keys.set(key, labels);
  }
}

function entries<T>(store: Store, prefix: string): [string, T][] {
  return store.range<T>(prefix).map(({ key, value }) => [key.slice(prefix.length), value]);
}

function requireForm(key: string): string {
  if (!FORM.test(key)) throw invalidKey();
  return key;
}

function requireRoom(property: string, count: number, limit: number): void {
  if (count >= limit) throw new MethodFault('LimitExceeded', { property, limit });
}

function invalidKey(): MethodFault {
  return new MethodFault('InvalidArgument', { invalidProperty: 'licenseKey' });
}
