// What a session is told by one filter. Sessions that share a state are told the same changes, each in the name of a filter of its
// own: the text of the changes is made once for all of them.
import {
  type EncodedSink,
  encodedForm,
  encodeRef,
  type HasEncodedForm,
  type MissingObject,
  type MoRef,
  type ObjectUpdate,
  type PropertyFilterUpdate,
  typeRef,
  type UpdateSet,
} from '@vivarium/vim';

/** Objects whose changes are kept as text; of more, each is written by itself. */
const MOST_KEPT = 256;
/**
 * Characters that are kept as a string. A reply that is a string is encoded into memory that is free again when it is sent; one of bytes
 * waits for a collection of garbage, and V8 starts a full one for every 64 MB of them.
 */
const LONGEST_TEXT = 8 << 10;

const FILTER = typeRef('PropertyFilter');
const OBJECT_SET = typeRef('ObjectUpdate[]');
const MISSING_SET = typeRef('MissingObject[]');

/** The same for everybody who asks from the same version. */
export class FilterChanges {
  readonly objectSet: readonly ObjectUpdate[];
  /** Roots that are missing, and were not (or not known to be) at the version asked for. */
  readonly missingSet: readonly MissingObject[];
  #kept: { readonly rank: number; readonly form: string | Uint8Array; readonly isAscii: boolean } | undefined;

  constructor(objectSet: readonly ObjectUpdate[], missingSet: readonly MissingObject[]) {
    this.objectSet = objectSet;
    this.missingSet = missingSet;
  }

  /** Undefined when there are none. */
  asUpdate(filter: MoRef): PropertyFilterUpdate | undefined {
    const { objectSet, missingSet } = this;
    if (objectSet.length === 0 && missingSet.length === 0) return undefined;
    if (this.#isShort) return new ShortUpdate(filter, this) as unknown as PropertyFilterUpdate;
    return {
      filter: filter as MoRef<'PropertyFilter'>,
      ...(objectSet.length > 0 ? { objectSet: objectSet as ObjectUpdate[] } : {}),
      ...(missingSet.length > 0 ? { missingSet: missingSet as MissingObject[] } : {}),
    };
  }

  /** The elements objectSet and missingSet. */
  write(rank: number, sink: EncodedSink): void {
    if (this.#kept?.rank !== rank) {
      const text =
        encodeRef('objectSet', OBJECT_SET, this.objectSet, rank) +
        encodeRef('missingSet', MISSING_SET, this.missingSet, rank);
      const isAscii = Buffer.byteLength(text) === text.length;
      this.#kept = { rank, form: text.length <= LONGEST_TEXT ? text : Buffer.from(text), isAscii };
    }
    const { form, isAscii } = this.#kept;
    if (typeof form === 'string') sink.text(form, isAscii);
    else sink.bytes(form, 0, form.length);
  }

  /** An object that enters brings all of its properties. */
  get #isShort(): boolean {
    return this.objectSet.length <= MOST_KEPT && this.objectSet.every(({ kind }) => kind !== 'enter');
  }
}

/** A PropertyFilterUpdate that is written as one piece. */
class ShortUpdate implements HasEncodedForm {
  readonly filter: MoRef;
  readonly objectSet: readonly ObjectUpdate[] | undefined;
  readonly missingSet: readonly MissingObject[] | undefined;
  readonly #changes: FilterChanges;

  constructor(filter: MoRef, changes: FilterChanges) {
    this.filter = filter;
    this.objectSet = unlessEmpty(changes.objectSet);
    this.missingSet = unlessEmpty(changes.missingSet);
    this.#changes = changes;
  }

  [encodedForm](tag: string, rank: number, sink: EncodedSink): void {
    sink.text(`<${tag}>${encodeRef('filter', FILTER, this.filter, rank)}`);
    this.#changes.write(rank, sink);
    sink.text(`</${tag}>`);
  }
}

/** An UpdateSet: what all filters of a collector have to tell. */
export function updateSet(version: string, filterSet: readonly PropertyFilterUpdate[]): UpdateSet {
  if (filterSet.every((update) => update instanceof ShortUpdate)) return new ShortSet(version, filterSet);
  return { version, filterSet: filterSet as PropertyFilterUpdate[] };
}

/** An UpdateSet that is written as one piece. */
class ShortSet implements UpdateSet, HasEncodedForm {
  readonly version: string;
  readonly filterSet: PropertyFilterUpdate[];

  constructor(version: string, filterSet: readonly PropertyFilterUpdate[]) {
    this.version = version;
    this.filterSet = filterSet as PropertyFilterUpdate[];
  }

  [encodedForm](tag: string, rank: number, sink: EncodedSink): void {
    sink.text(`<${tag}><version>${this.version}</version>`);
    for (const update of this.filterSet as unknown as readonly HasEncodedForm[]) {
      update[encodedForm]('filterSet', rank, sink);
    }
    sink.text(`</${tag}>`);
  }
}

function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}
