// How clusters were configured: set part by part when their hosts and VMs are there; what ours do not know is left out.
import { type ClusterConfigSpecEx, type ManagedObjectReference, MethodFault, make } from '@vivarium/vim';
import { type Loading, nodesOf, refOf } from './loading.ts';
import { told } from './saved-object.ts';

export async function loadClusters(loading: Loading): Promise<void> {
  const { records, leftOut, tree } = loading;
  for (const node of nodesOf(loading, 'ClusterComputeResource')) {
    const said = told(node.object, 'ClusterComputeResource', 'configurationEx');
    const config = here(said, (ref) => tree.find(ref)?.ref ?? ref) as Readonly<Record<string, unknown>> | undefined;
    if (!config) continue;
    const cluster = refOf(node, 'ClusterComputeResource');
    for (const [name, spec] of partsOf(config)) {
      try {
        await records.configureCluster(cluster, make('ClusterConfigSpecEx', spec));
      } catch (error) {
        if (!(error instanceof MethodFault)) throw error;
        leftOut.note(`${name} of clusters`);
      }
    }
  }
}

type Part = readonly [name: string, spec: Partial<ClusterConfigSpecEx>];

function partsOf(config: Readonly<Record<string, unknown>>): Part[] {
  const each = (name: string) => (Array.isArray(config[name]) ? (config[name] as object[]) : []);
  const add = (
    type: 'ClusterGroupSpec' | 'ClusterRuleSpec' | 'ClusterDrsVmConfigSpec' | 'ClusterDasVmConfigSpec',
    info: object,
  ) => [make(type, { operation: 'add', info } as never)] as never;
  const known = (name: 'drsConfig' | 'dasConfig'): Part[] => (config[name] ? [[name, { [name]: config[name] }]] : []);
  return [
    ...known('drsConfig'),
    ...known('dasConfig'),
    ...each('group').map((info): Part => ['groups', { groupSpec: add('ClusterGroupSpec', info) }]),
    ...each('rule').map((info): Part => ['rules', { rulesSpec: add('ClusterRuleSpec', info) }]),
    ...each('drsVmConfig').map((info): Part => ['overrides', { drsVmConfigSpec: add('ClusterDrsVmConfigSpec', info) }]),
    ...each('dasVmConfig').map((info): Part => ['overrides', { dasVmConfigSpec: add('ClusterDasVmConfigSpec', info) }]),
  ];
}

/** The value with its references as they are here. */
function here(value: unknown, refOf: (ref: ManagedObjectReference) => ManagedObjectReference): unknown {
  if (Array.isArray(value)) return value.map((one) => here(one, refOf));
  if (typeof value !== 'object' || value === null) return value;
  const { type, value: id } = value as Partial<ManagedObjectReference>;
  if (typeof type === 'string' && typeof id === 'string') return refOf(value as ManagedObjectReference);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, here(part, refOf)]));
}
