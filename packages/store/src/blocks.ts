// Numbered blocks of bytes in named series: for figures that come in regular batches, are read as ranges and go by age.
// They know no revisions, compares or watches: nobody waits for them, and none of them is worth a document.

export interface Block {
  /** A whole number from 0 to 2^53 - 1, unique in its series. */
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** `until` is not included. */
export interface BlockRange {
  readonly from: number;
  readonly until: number;
}

export interface BlockWrite {
  /** Written; one of the same id is replaced. */
  readonly puts?: readonly { readonly series: string; readonly block: Block }[];
  /** Removed, before anything is written. */
  readonly deletes?: readonly ({ readonly series: string } & BlockRange)[];
}

export interface BlockStore {
  get(series: string, id: number): Uint8Array | undefined;
  /** The blocks of a range by id, ascending. */
  range(series: string, range: BlockRange): Block[];
  /** As `range`, without reading the blocks. */
  ids(series: string, range: BlockRange): number[];
  /** The greatest id of a series; undefined when it is empty. */
  lastId(series: string): number | undefined;
  /** The smallest. */
  firstId(series: string): number | undefined;
  /** All or nothing; resolves when it is on disk. Rejects with StoreFull, StoreClosed or StoreError. */
  write(changes: BlockWrite): Promise<void>;
  close(): Promise<void>;
}
