// The managed objects ViewManager and its views: lists of references that filters start from. Views belong to their
// session and die with it.
import { type Random, uuid } from '@vivarium/base';
import { type Handlers, MethodFault, type MoRef, moRef, moRefKey, schema } from '@vivarium/vim';
import type { Authorization } from '../authorization/authorization.ts';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import type { ChangeRouter } from '../property-collector/change-router.ts';
import { watchEntityMoves } from '../property-collector/entity-moves.ts';
import { type Viewer, viewerOf } from '../property-collector/viewer.ts';
import type { Session } from '../session/session.ts';
import type { StandIns } from '../session/stand-ins.ts';
import { containerTypeOf } from './container-plan.ts';
import { InventoryWatch } from './inventory-watch.ts';
import { SharedContainers } from './shared-containers.ts';

export interface ViewManagerOptions {
  readonly graph: ObjectGraph;
  readonly authorization: Pick<Authorization, 'onChange' | 'isSetOn'>;
  readonly random: Random;
  readonly rootFolder: MoRef<'Folder'>;
  /** Shared with the property collectors. */
  readonly router: ChangeRouter;
  /** Shared with the property collectors. */
  readonly standIns: StandIns;
  readonly maxViewsPerSession?: number;
}

type ViewType = 'ContainerView' | 'ListView' | 'InventoryView';

/** References in all ListViews of a session: ten times as many as vSphere's largest inventory has entities. */
const MOST_LISTED = 500_000;

interface View {
  readonly ref: MoRef<ViewType>;
  /** How many references it keeps itself. */
  readonly size?: number;
  /** An object has gone. */
  removed?(ref: MoRef): void;
  invalidate?(): void;
  close?(): void;
}

export class Views {
  readonly #options: ViewManagerOptions;
  readonly #maxViews: number;
  readonly #containers: SharedContainers;
  readonly #sessions = new Map<Session, Map<string, View>>();
  #manager: MoRef<'ViewManager'> | undefined;

  constructor(options: ViewManagerOptions) {
    this.#options = options;
    this.#maxViews = options.maxViewsPerSession ?? 1000;
    const { graph, authorization, random } = options;
    this.#containers = new SharedContainers({ ...options, newId: () => uuid(random) });
    graph.onAdd(({ ref }) => this.#containers.existenceChanged(ref));
    graph.onRemove(({ ref }) => {
      this.#containers.existenceChanged(ref);
      this.#each((view) => view.removed?.(ref));
    });
    const invalidate = () => {
      this.#containers.invalidate();
      this.#each((view) => view.invalidate?.());
    };
    authorization.onChange(invalidate);
    watchEntityMoves(graph, (ref) => authorization.isSetOn(ref), {
      one: (ref) => {
        this.#containers.existenceChanged(ref);
        this.#each((view) => view.invalidate?.());
      },
      many: invalidate,
    });
  }

  /** Puts the ViewManager in the graph. */
  addManager(ref: MoRef<'ViewManager'>): ManagedObject<'ViewManager'> {
    this.#manager = ref;
    const handlers: Handlers<'ViewManager', Call> = {
      CreateContainerView: ({ container, type, recursive }, call) =>
        this.#createContainerView(container, type ?? [], recursive, call),
      CreateListView: ({ obj }, call) => this.#createListView(obj ?? [], call),
      CreateListViewFromView: ({ view }, call) => this.#createListView(this.#listOf(view, call), call),
      CreateInventoryView: (_, call) => this.#createInventoryView(call),
    };
    return this.#options.graph.add(ref, {}, handlers, {
      computed: { viewList: (call) => [...(this.#sessions.get(call.session)?.values() ?? [])].map((view) => view.ref) },
    });
  }

  #createContainerView(
    container: MoRef<'ManagedEntity'>,
    types: readonly string[],
    recursive: boolean,
    call: Call,
  ): MoRef<'ContainerView'> {
    const { graph } = this.#options;
    const { session } = call; // a view must not hold on to the call that made it
    requireVisible(viewerOf(call), container);
    const kind = containerTypeOf(container.type);
    if (!kind) throw new MethodFault('InvalidArgument', { invalidProperty: 'container' });
    if (!types.every((type) => schema.isSubtype(type, 'ManagedEntity'))) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'type' });
    }
    const ref = this.#newRef('ContainerView', session);
    const place = { type: container.type, value: container.value } as MoRef<'ManagedEntity'>;
    const shared = this.#containers.acquire(ref, { container: place, kind, types, recursive }, call);
    this.#keep(session, { ref, close: () => shared.release() });
    graph.add(
      ref,
      { container: place, type: [...types], recursive },
      { DestroyView: () => this.#destroy(session, ref) },
      { session, computed: { view: () => shared.list as MoRef[] }, twin: shared.twin },
    );
    return ref;
  }

  #createListView(refs: readonly MoRef[], call: Call): MoRef<'ListView'> {
    const { graph } = this.#options;
    const { session } = call;
    const viewer = viewerOf(call);
    for (const wanted of refs) requireVisible(viewer, wanted);
    const ref = this.#newRef('ListView', session);
    const list = new Map<string, MoRef>();
    const add = (wanted: readonly MoRef[]): MoRef[] => {
      this.#requireRoom(session, wanted.length);
      const [found, unresolved] = partition(wanted, (one) => isVisible(viewer, one));
      for (const one of found) list.set(moRefKey(one), { type: one.type, value: one.value });
      return unresolved;
    };
    const publish = () => graph.find(ref)?.set('view', [...list.values()]);
    add(refs);
    this.#keep(session, {
      ref,
      get size() {
        return list.size;
      },
      removed: (gone) => {
        if (list.delete(moRefKey(gone))) publish();
      },
    });
    const handlers: Handlers<'ListView', Call> = {
      ModifyListView: ({ add: added = [], remove: removed = [] }) => {
        const unresolved = add(added);
        for (const one of removed) list.delete(moRefKey(one));
        publish();
        return unresolved;
      },
      ResetListView: ({ obj = [] }) => {
        this.#requireRoom(session, obj.length - list.size);
        list.clear();
        const unresolved = add(obj);
        publish();
        return unresolved;
      },
      ResetListViewFromView: ({ view }, from) => {
        const source = this.#listOf(view, from);
        this.#requireRoom(session, source.length - list.size);
        list.clear();
        add(source);
        publish();
      },
      DestroyView: () => this.#destroy(session, ref),
    };
    graph.add(ref, { view: [...list.values()] }, handlers, { session });
    return ref;
  }

  #createInventoryView(call: Call): MoRef<'InventoryView'> {
    const { graph, router, rootFolder } = this.#options;
    const { session } = call;
    const ref = this.#newRef('InventoryView', session);
    const onDirty = () => graph.find(ref)?.touch('view');
    const watch = new InventoryWatch({ root: rootFolder, viewer: viewerOf(call), router, onDirty });
    this.#keep(session, {
      ref,
      invalidate: () => watch.invalidate(),
      close: () => watch.dispose(),
    });
    const handlers: Handlers<'InventoryView', Call> = {
      OpenInventoryViewFolder: ({ entity }) => entity.filter((one) => !watch.open(one)),
      CloseInventoryViewFolder: ({ entity }) => watch.close(entity),
      DestroyView: () => this.#destroy(session, ref),
    };
    graph.add(ref, {}, handlers, { session, computed: { view: () => watch.list as MoRef[] } });
    return ref;
  }

  /** The list of another view of the session. Fault: ManagedObjectNotFound. */
  #listOf(view: MoRef<'View'>, call: Call): readonly MoRef[] {
    const object = viewerOf(call).find(view);
    if (!object) throw new MethodFault('ManagedObjectNotFound', { obj: view });
    return (object.read('view', call) ?? []) as MoRef[];
  }

  #newRef<T extends ViewType>(type: T, session: Session): MoRef<T> {
    const used = this.#sessions.get(session)?.size ?? 0;
    if (used >= this.#maxViews) throw new MethodFault('LimitExceeded', { property: 'viewList', limit: this.#maxViews });
    return moRef(type, `session[${session.key}]${uuid(this.#options.random)}`);
  }

  /** Fault: LimitExceeded. */
  #requireRoom(session: Session, more: number): void {
    let listed = more;
    for (const { size = 0 } of this.#sessions.get(session)?.values() ?? []) listed += size;
    if (listed > MOST_LISTED) throw new MethodFault('LimitExceeded', { property: 'view', limit: MOST_LISTED });
  }

  #keep(session: Session, view: View): void {
    let views = this.#sessions.get(session);
    if (!views) {
      this.#sessions.set(session, (views = new Map()));
      session.onEnd(() => this.#endSession(session));
    }
    views.set(moRefKey(view.ref), view);
    this.#touchList();
  }

  #destroy(session: Session, ref: MoRef<ViewType>): void {
    const views = this.#sessions.get(session);
    const view = views?.get(moRefKey(ref));
    views?.delete(moRefKey(ref));
    this.#options.graph.remove(ref);
    view?.close?.();
    this.#touchList();
  }

  #endSession(session: Session): void {
    const views = this.#sessions.get(session);
    this.#sessions.delete(session);
    for (const view of views?.values() ?? []) {
      this.#options.graph.remove(view.ref);
      view.close?.();
    }
  }

  #touchList(): void {
    if (this.#manager) this.#options.graph.find(this.#manager)?.touch('viewList');
  }

  #each(tell: (view: View) => void): void {
    for (const views of this.#sessions.values()) for (const view of views.values()) tell(view);
  }
}

function isVisible(viewer: Viewer, ref: MoRef): boolean {
  const object = viewer.find(ref);
  return object !== undefined && viewer.sees(object);
}

/** What may not be seen does not exist, here as in searches. */
function requireVisible(viewer: Viewer, ref: MoRef): void {
  if (!isVisible(viewer, ref))
    throw new MethodFault('ManagedObjectNotFound', { obj: { type: ref.type, value: ref.value } });
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [first: T[], second: T[]] {
  const first: T[] = [];
  const second: T[] = [];
  for (const item of items) (isFirst(item) ? first : second).push(item);
  return [first, second];
}
