// What clients are answered: ObjectContent and ObjectUpdate. Their properties are boxed for JSON and encoded for SOAP
// only when somebody asks for that form, and big values are encoded once however many clients get them.
import {
  box,
  type DynamicProperty,
  type EncodedSink,
  encodedForm,
  encodedText,
  encodeRef,
  escapeText,
  type HasEncodedForm,
  MethodFault,
  type MissingObject,
  type MissingProperty,
  type MoRef,
  type ObjectContent,
  type ObjectUpdate,
  type PropertyChange,
  type PropertyChangeOp,
  type TypeRef,
  toLocalizedMethodFault,
  typeRef,
} from '@vivarium/vim';
import { type Delta, nestedDifferences } from './difference.ts';
import { ElementCache, type ElementSink, type Selection } from './element-cache.ts';
import type { ObjectChange } from './filter-state.ts';
import { FragmentCache } from './fragment-cache.ts';
import { type PathPlan, readSteps } from './path-plan.ts';
import type { Slabs } from './slabs.ts';
import type { ChangedPath, TrackedObject } from './tracked-object.ts';
import { Missing } from './viewer.ts';

const REFERENCE = typeRef('ManagedObjectReference');
const MISSING = typeRef('MissingProperty[]');

export interface ChangeStyle {
  /** Report a change inside a requested property as just that, not as the whole property. */
  readonly partialUpdates: boolean;
  /** Version rank of the client. */
  readonly rank: number;
}

/** What was told of an object's changes from one version to another. */
interface ToldChange {
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly enteredAt: number;
  readonly style: ChangeStyle;
  readonly update: ObjectUpdate | undefined;
}

/** Many clients are told the same of one change, within a moment: so many of the latest are remembered. */
const MOST_TOLD = 2048;
/** Characters of a kept text: long ones are made of bytes that are kept already. */
const MOST_KEPT = 4096;
/** Objects in an answer from which on they are worth keeping as a whole. */
const KEPT_FROM = 16;

export class Answers {
  readonly #fragments: FragmentCache;
  readonly #elements: ElementCache;
  /** Oldest first. */
  readonly #told = new Map<TrackedObject, ToldChange>();

  constructor(slabs: Slabs) {
    this.#fragments = new FragmentCache(slabs);
    this.#elements = new ElementCache(slabs, this.#fragments);
  }

  /** Makes the ObjectContents of so many objects of one type, each of its values parallel to the paths. */
  objectContents(
    count: number,
    paths: readonly PathPlan[],
    rank: number,
  ): (obj: MoRef, values: readonly unknown[]) => ObjectContent {
    const names = paths.map(({ path }) => path);
    const selection = count < KEPT_FROM ? undefined : this.#elements.selection(names, rank);
    return (obj, values) =>
      new Told(this.#fragments, undefined, obj, paths, values, selection) as unknown as ObjectContent;
  }

  /** Undefined when there is nothing to tell after all (a value that went back to what the client knows). */
  objectUpdate(change: ObjectChange, style: ChangeStyle): ObjectUpdate | undefined {
    const { ref: obj, kind } = change;
    if (kind === 'leave') return { kind, obj };
    const { tracked, since } = change;
    const { paths } = tracked.plan;
    // What it holds now: the object goes on changing while the answer is sent.
    if (kind === 'enter')
      return new Told(this.#fragments, kind, obj, paths, [...tracked.values]) as unknown as ObjectUpdate;
    const first = tracked.firstChangeAfter(since);
    const last = tracked.lastChangeAt;
    const { enteredAt } = tracked;
    const known = this.#told.get(tracked);
    const isSame = known?.first === first && known?.last === last && known?.enteredAt === enteredAt;
    if (known && isSame && known.style.partialUpdates === style.partialUpdates && known.style.rank === style.rank)
      return known.update;
    const update = this.#changes(obj, tracked, since, style);
    this.#told.delete(tracked);
    this.#told.set(tracked, { first, last, enteredAt, style, update });
    if (this.#told.size > MOST_TOLD) this.#told.delete(this.#told.keys().next().value ?? tracked);
    return update;
  }

  #changes(obj: MoRef, tracked: TrackedObject, since: number, style: ChangeStyle): ObjectUpdate | undefined {
    const { paths } = tracked.plan;
    const changed = tracked.changedSince(since);
    if (changed.length === 0) return undefined;
    // Requested paths may contain each other: then they have changes in common.
    const deltas = new Map(
      changed.flatMap((path) => deltasOf(tracked, path, style)).map((delta) => [delta.name, delta]),
    );
    const changeSet = [...deltas.values()].map(
      ({ name, op, type, value }) => new PropertyEntry(this.#fragments, name, op, type, value),
    );
    const missingSet = changed.flatMap(({ index, after }) => missingProperty(paths[index], after));
    return new Modified(obj, changeSet, missingSet) as unknown as ObjectUpdate;
  }

  /** A root of a filter that does not exist. */
  missingObject(obj: MoRef): MissingObject {
    return { obj, fault: toLocalizedMethodFault(new MethodFault('ManagedObjectNotFound', { obj })) };
  }
}

/**
 * All that is told of one object at once: an ObjectContent; an ObjectUpdate when it has a `kind`. There may be many thousands in
 * an answer, so the lists are made only when they are asked for.
 */
class Told implements HasEncodedForm {
  readonly #fragments: FragmentCache;
  readonly kind: 'enter' | undefined;
  readonly obj: MoRef;
  readonly #paths: readonly PathPlan[];
  readonly #values: readonly unknown[];
  readonly #selection: Selection | undefined;

  constructor(
    fragments: FragmentCache,
    kind: 'enter' | undefined,
    obj: MoRef,
    paths: readonly PathPlan[],
    values: readonly unknown[],
    selection?: Selection,
  ) {
    this.#fragments = fragments;
    this.kind = kind;
    this.obj = obj;
    this.#paths = paths;
    this.#values = values;
    this.#selection = selection;
  }

  get propSet(): DynamicProperty[] | undefined {
    return this.kind === undefined ? this.#entries(undefined) : undefined;
  }

  get changeSet(): PropertyChange[] | undefined {
    // An entry with an op is a PropertyChange; its absence is a matter of the class, not of these here.
    return this.kind === undefined ? undefined : (this.#entries('assign') as PropertyChange[] | undefined);
  }

  get missingSet(): MissingProperty[] | undefined {
    const missing = this.#values.flatMap((value, index) => missingProperty(this.#paths[index], value));
    return missing.length > 0 ? missing : undefined;
  }

  [encodedForm](tag: string, rank: number, sink: EncodedSink): void {
    const make = (out: ElementSink) => this.#make(tag, rank, out);
    // Why something is missing is told anew each time.
    if (this.#selection && !this.#values.some((value) => value instanceof Missing))
      return this.#selection.write(tag, this.obj, this.#values, make, sink);
    make({
      text: (piece) => sink.text(piece),
      value: (type, value) => this.#fragments.write(type, value, rank, sink),
    });
  }

  #make(tag: string, rank: number, sink: ElementSink): void {
    const { kind, obj } = this;
    const list = kind === undefined ? 'propSet' : 'changeSet';
    const op = kind === undefined ? '' : '<op>assign</op>';
    const about = kind === undefined ? '' : `<kind>${kind}</kind>`;
    sink.text(`<${tag}>${about}${encodeRef('obj', REFERENCE, obj, rank)}`);
    let hasMissing = false;
    for (let index = 0; index < this.#paths.length; index++) {
      const path = this.#paths[index];
      const value = this.#values[index];
      if (path === undefined || value === undefined) continue;
      if (value instanceof Missing) {
        hasMissing = true;
        continue;
      }
      sink.text(`<${list}>${path.nameElement}${op}`);
      sink.value(path.type, value);
      sink.text(`</${list}>`);
    }
    if (hasMissing) sink.text(encodeRef('missingSet', MISSING, this.missingSet, rank));
    sink.text(`</${tag}>`);
  }

  #entries(op: 'assign' | undefined): DynamicProperty[] | undefined {
    const entries: PropertyEntry[] = [];
    for (const [index, { path, type }] of this.#paths.entries()) {
      const value = this.#values[index];
      if (value === undefined || value instanceof Missing) continue;
      entries.push(new PropertyEntry(this.#fragments, path, op, type, value));
    }
    return entries.length > 0 ? entries : undefined;
  }
}

/** A PropertyChange; a DynamicProperty when it has no `op`. */
class PropertyEntry implements DynamicProperty, HasEncodedForm {
  readonly name: string;
  readonly op: PropertyChangeOp | undefined;
  readonly #fragments: FragmentCache;
  readonly #type: TypeRef;
  readonly #value: unknown;

  constructor(fragments: FragmentCache, name: string, op: PropertyChangeOp | undefined, type: TypeRef, value: unknown) {
    this.name = name;
    this.op = op;
    this.#fragments = fragments;
    this.#type = type;
    this.#value = value;
  }

  /** As values stand under any. */
  get val(): unknown {
    return box(this.#type, this.#value);
  }

  [encodedForm](tag: string, rank: number, sink: EncodedSink): void {
    const op = this.op === undefined ? '' : `<op>${this.op}</op>`;
    sink.text(`<${tag}><name>${escapeText(this.name)}</name>${op}`);
    if (this.#value !== undefined) this.#fragments.write(this.#type, this.#value, rank, sink);
    sink.text(`</${tag}>`);
  }
}

/** An ObjectUpdate of changed properties. Its text is kept: of one change many clients are told. */
class Modified implements HasEncodedForm {
  readonly kind = 'modify';
  readonly obj: MoRef;
  readonly changeSet: readonly PropertyEntry[] | undefined;
  readonly missingSet: readonly MissingProperty[] | undefined;
  #text = '';
  #tag = '';
  #rank = 0;
  #isLong = false;

  constructor(obj: MoRef, changeSet: readonly PropertyEntry[], missingSet: readonly MissingProperty[]) {
    this.obj = obj;
    this.changeSet = changeSet.length > 0 ? changeSet : undefined;
    this.missingSet = missingSet.length > 0 ? missingSet : undefined;
  }

  [encodedForm](tag: string, rank: number, sink: EncodedSink): void {
    if (this.#isLong) return this.#write(tag, rank, sink);
    if (this.#text === '' || this.#tag !== tag || this.#rank !== rank) {
      this.#text = encodedText({ [encodedForm]: (...how) => this.#write(...how) }, tag, rank);
      this.#tag = tag;
      this.#rank = rank;
    }
    sink.text(this.#text);
    this.#isLong = this.#text.length > MOST_KEPT;
    if (this.#isLong) this.#text = '';
  }

  #write(tag: string, rank: number, sink: EncodedSink): void {
    sink.text(`<${tag}><kind>${this.kind}</kind>${encodeRef('obj', REFERENCE, this.obj, rank)}`);
    for (const entry of this.changeSet ?? []) entry[encodedForm]('changeSet', rank, sink);
    if (this.missingSet) sink.text(encodeRef('missingSet', MISSING, this.missingSet, rank));
    sink.text(`</${tag}>`);
  }
}

function missingProperty(path: PathPlan | undefined, value: unknown): MissingProperty[] {
  if (!path || !(value instanceof Missing)) return [];
  return [{ path: path.path, fault: toLocalizedMethodFault(value.fault) }];
}

function deltasOf(tracked: TrackedObject, { index, before, after }: ChangedPath, style: ChangeStyle): readonly Delta[] {
  const plan = tracked.plan.paths[index];
  if (!plan || after instanceof Missing) return [];
  const { path: name, type } = plan;
  const wasSet = before !== undefined && !(before instanceof Missing);
  if (after === undefined) return [{ name, op: removal(tracked, plan), type, value: undefined }];
  // Also an element of an array that was asked for by its key: to the client it is a property like any other.
  if (!wasSet) return [{ name, op: 'assign', type, value: after }];
  if (!style.partialUpdates) return [{ name, op: 'assign', type, value: after }];
  return nestedDifferences(name, type, before, after, style.rank);
}

/** How a requested property ceased: with what contains it, as an element of an array, or by being unset itself. */
function removal(tracked: TrackedObject, plan: PathPlan): PropertyChangeOp {
  const last = plan.steps[plan.steps.length - 1];
  if (last === undefined) return 'assign';
  const container = readSteps(tracked.object.get(plan.property as never), plan.steps.slice(0, -1));
  if (container === undefined) return 'indirectRemove';
  return 'key' in last ? 'remove' : 'assign';
}
