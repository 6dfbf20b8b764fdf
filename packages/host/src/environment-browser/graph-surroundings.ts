// The datastores and networks of a host as its graph has them, for its EnvironmentBrowser.
import type { ObjectGraph } from '@vivarium/vmomi';
import type { EnvironmentContext } from './environment-browser-methods.ts';

export function graphSurroundings(graph: ObjectGraph): Pick<EnvironmentContext, 'datastores' | 'networks'> {
  return {
    datastores: () =>
      Array.from(graph.ofType('Datastore')).flatMap((object) => {
        const summary = object.get('summary');
        const capability = object.get('capability');
        return summary && capability ? [{ summary, capability }] : [];
      }),
    networks: () => Array.from(graph.ofType('Network')).flatMap((object) => object.get('summary') ?? []),
  };
}
