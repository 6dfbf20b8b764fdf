// The live lists of ContainerViews: one for all views of one user over the same container. Each has a twin in the graph, a view
// that only stand-ins see, from which the filters of many sessions can start.
import { type MoRef, moRef } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import type { ChangeRouter } from '../property-collector/change-router.ts';
import { viewerOf } from '../property-collector/viewer.ts';
import { type StandIns, userKey } from '../session/stand-ins.ts';
import { type ContainerType, planContainer } from './container-plan.ts';
import { ContainerWatch } from './container-watch.ts';

export interface SharedContainersOptions {
  readonly graph: ObjectGraph;
  readonly router: ChangeRouter;
  readonly standIns: StandIns;
  /** An id for a twin. */
  readonly newId: () => string;
}

export interface ContainerArgs {
  readonly container: MoRef<'ManagedEntity'>;
  readonly kind: ContainerType;
  readonly types: readonly string[];
  readonly recursive: boolean;
}

export interface SharedContainer {
  readonly twin: MoRef<'ContainerView'>;
  readonly list: readonly MoRef[];
  /** The view of a session shows the list from now on, until `release`. */
  release(): void;
}

interface Entry {
  readonly twin: MoRef<'ContainerView'>;
  readonly watch: ContainerWatch;
  readonly views: Set<MoRef<'ContainerView'>>;
  readonly close: () => void;
}

export class SharedContainers {
  readonly #options: SharedContainersOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: SharedContainersOptions) {
    this.#options = options;
  }

  /** The list for a view of this session. */
  acquire(view: MoRef<'ContainerView'>, args: ContainerArgs, call: Call): SharedContainer {
    const { container, types, recursive } = args;
    const place = [container.type, container.value, recursive, ...types];
    const key = `${userKey(call.session)} ${JSON.stringify(place)}`;
    let entry = this.#entries.get(key);
    if (!entry) this.#entries.set(key, (entry = this.#open(args, call)));
    const { twin, watch, views, close } = entry;
    views.add(view);
    return {
      twin,
      get list() {
        return watch.list;
      },
      release: () => {
        if (!views.delete(view) || views.size > 0) return;
        this.#entries.delete(key);
        close();
      },
    };
  }

  existenceChanged(ref: MoRef): void {
    for (const { watch } of this.#entries.values()) watch.existenceChanged(ref);
  }

  /** What users may see has changed. */
  invalidate(): void {
    for (const { watch } of this.#entries.values()) watch.invalidate();
  }

  #open({ container, kind, types, recursive }: ContainerArgs, call: Call): Entry {
    const { graph, router, standIns, newId } = this.#options;
    const standIn = standIns.acquire(call.session);
    const twin = moRef('ContainerView', `shared[${newId()}]`);
    const views = new Set<MoRef<'ContainerView'>>();
    const watch = new ContainerWatch({
      plan: planContainer(container, kind, recursive),
      types,
      viewer: viewerOf(call, standIn.session),
      router,
      onDirty() {
        for (const view of [twin, ...views]) graph.find(view)?.touch('view');
      },
    });
    const options = { session: standIn.session, computed: { view: () => watch.list as MoRef[] } };
    graph.add(twin, { container, type: [...types], recursive }, {}, options);
    const close = () => {
      watch.close();
      graph.remove(twin);
      standIn.release();
    };
    return { twin, watch, views, close };
  }
}
