// Brings the documents of an older version to this program's. The version is a document itself (`schema`), changed together
// with what it is about: a process that is killed on the way leaves the old documents with the old version.
import { encodeValue } from '../encode-batch.ts';
import { BatchTooLarge, StoreError } from '../errors.ts';
import type { Doc, Item, Op, Revision, Store } from '../store.ts';
import { StagedDocuments } from './staged-documents.ts';

const SCHEMA = 'schema';

/** The documents as the migrations before have left them. */
export interface DocumentReader {
  get<T = unknown>(key: string): T | undefined;
  /** By key. */
  range<T = unknown>(prefix: string): Iterable<{ readonly key: string; readonly value: T }>;
}

export interface Migration {
  /** 1, 2, 3, … without gaps; documents without a version have 0. */
  readonly version: number;
  /** What it does, for the log. */
  readonly about: string;
  /** What makes documents of the version before into ones of this version. Pure. */
  migrate(documents: DocumentReader): Iterable<Op>;
}

/** The documents were written by a newer program. */
export class SchemaTooNew extends StoreError {
  override readonly name = 'SchemaTooNew';
  readonly found: number;
  readonly known: number;

  constructor(found: number, known: number) {
    super(
      `the store has schema version ${found}; this program knows ${known}: run the newer program, or restore a backup`,
    );
    this.found = found;
    this.known = known;
  }
}

export interface Migrated {
  readonly from: number;
  readonly to: number;
  readonly applied: readonly Migration[];
}

/**
 * Runs the migrations that are pending, all or none. To be called when the store is opened, by whoever has its lock, on the
 * guarded store, before anybody reads. An empty store is given the newest version. Rejects with SchemaTooNew, as
 * Store.replace does, or with what a migration throws.
 */
export async function migrate(store: Store, migrations: readonly Migration[]): Promise<Migrated> {
  for (const [index, { version }] of migrations.entries()) {
    if (version !== index + 1) throw new StoreError(`migration ${version} stands at the place of ${index + 1}`);
  }
  const to = migrations.length;
  const schema = store.get<{ version: number }>(SCHEMA);
  const from = schema?.value.version ?? (isEmpty(store) ? to : 0);
  if (from > to) throw new SchemaTooNew(from, to);
  if (schema && from === to) return { from, to, applied: [] };
  const staged = new StagedDocuments(store);
  const applied = migrations.slice(from);
  for (const migration of applied) staged.apply(migration.migrate(staged));
  staged.apply([{ put: SCHEMA, value: { version: to } }]);
  await write(store, staged, schema?.revision ?? 0);
  return { from, to, applied };
}

/** One batch if it can be. */
async function write(store: Store, staged: StagedDocuments, schemaRevision: Revision): Promise<void> {
  try {
    await store.batch(staged.ops(), [{ key: SCHEMA, revision: schemaRevision }]);
  } catch (error) {
    if (!(error instanceof BatchTooLarge)) throw error;
    await store.replace(itemsOf(staged), { keepHistory: true });
  }
}

async function* itemsOf(staged: StagedDocuments): AsyncGenerator<Item> {
  for (const { key, value } of staged.range('')) yield { kind: 'document', key, json: encodeValue(key, value) };
}

function isEmpty(store: Store): boolean {
  const [first]: Doc[] = store.range('', { limit: 1 });
  return first === undefined;
}
