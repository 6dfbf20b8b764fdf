// Gives every entity its disabledMethod: what its state rules out, and what somebody has disabled. Worked out when it is asked for;
// who watches it hears when it has changed.
import { type Handlers, MethodFault, type MoRef, schema } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { Change } from '../graph/change.ts';
import type { Service } from '../service.ts';
import { disabledByHostState, disabledByVmState } from './state-disables.ts';

export function provideDisabledMethods({ graph, methodBlocks }: Pick<Service, 'graph' | 'methodBlocks'>): void {
  graph.provide('ManagedEntity', {
    computed: {
      disabledMethod(object) {
        const byState = disabledByState(object.ref, (name) => object.get(name as never));
        const blocked = methodBlocks.of(object.ref);
        return blocked.length === 0 ? [...byState] : [...new Set([...byState, ...blocked])].sort();
      },
    },
  });
  graph.onChange((change) => {
    if (change.kind === 'modified' && isChanged(change)) change.object.touch('disabledMethod' as never);
  });
}

/** AuthorizationManager's methods. Source: govmomi, object.AuthorizationManager. */
export function disablingMethods(service: Service): Partial<Handlers<'AuthorizationManager', Call>> {
  const { graph, methodBlocks, authorization } = service;
  const allowed = (entities: readonly MoRef[], methods: readonly string[], privilege: string, { session }: Call) => {
    for (const entity of entities) authorization.check(session, graph.get(entity), privilege);
    for (const entity of entities) {
      for (const method of methods) {
        if (!schema.method(entity.type, method))
          throw new MethodFault('InvalidArgument', { invalidProperty: 'method' });
      }
    }
  };
  const show = (entities: readonly MoRef[]) => {
    for (const entity of entities) graph.find(entity)?.touch('disabledMethod' as never);
  };
  return {
    async DisableMethods({ entity, method, sourceId, sessionScope }, call) {
      allowed(
        entity,
        method.map((one) => one.method),
        'Global.DisableMethods',
        call,
      );
      if (sessionScope) throw new MethodFault('NotSupported', {}, 'what is disabled stays so beyond the session');
      if (sourceId === '') throw new MethodFault('InvalidArgument', { invalidProperty: 'sourceId' });
      await methodBlocks.disable(entity, method, sourceId);
      show(entity);
    },
    async EnableMethods({ entity, method, sourceId }, call) {
      allowed(entity, method, 'Global.EnableMethods', call);
      await methodBlocks.enable(entity, method, sourceId);
      show(entity);
    },
  };
}

function disabledByState({ type }: MoRef, get: (name: string) => unknown): readonly string[] {
  if (type === 'VirtualMachine') {
    return disabledByVmState({ runtime: get('runtime') as never, hasSnapshot: get('snapshot') !== undefined });
  }
  return type === 'HostSystem' ? disabledByHostState(get('runtime') as never) : [];
}

function isChanged({ object, paths, before }: Extract<Change, { kind: 'modified' }>): boolean {
  const { type } = object.ref;
  if (type !== 'VirtualMachine' && type !== 'HostSystem') return false;
  if (!paths.some((path) => path.startsWith('runtime') || path === 'snapshot')) return false;
  const now = (name: string) => object.get(name as never);
  const former = (name: string) => (name in before || isAmong(paths, name) ? before[name] : now(name));
  return disabledByState(object.ref, former) !== disabledByState(object.ref, now);
}

function isAmong(paths: readonly string[], name: string): boolean {
  return paths.some((path) => path === name || path.startsWith(`${name}.`));
}
