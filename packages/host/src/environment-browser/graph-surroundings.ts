// The datastores and networks of a host as its graph has them, for its EnvironmentBrowser.
import type { Call, ManagedObject, Service } from '@vivarium/vmomi';
import type { EnvironmentContext } from './environment-browser-methods.ts';

export function graphSurroundings({
  graph,
  authorization,
}: Pick<Service, 'graph' | 'authorization'>): Pick<EnvironmentContext, 'datastores' | 'networks'> {
  const sees = (call: Call, object: object) =>
    authorization.holds(call.session, object as ManagedObject, 'System.View');
  return {
    datastores: (call) =>
      Array.from(graph.ofType('Datastore')).flatMap((object) => {
        const summary = object.get('summary');
        const capability = object.get('capability');
        return summary && capability && sees(call, object) ? [{ summary, capability }] : [];
      }),
    networks: (call) =>
      Array.from(graph.ofType('Network')).flatMap((object) =>
        sees(call, object) ? (object.get('summary') ?? []) : [],
      ),
  };
}
