// What a ContainerView walks: the documented properties of each kind of container, as a filter plan. Pure.
// Source: vSphere Web Services API, ViewManager.CreateContainerView, parameter "recursive".
import { type MoRef, make, schema, type TraversalSpec } from '@vivarium/vim';
import { type FilterPlan, planFilter } from '../property-collector/filter-plan.ts';

/** The properties that lead from each kind of container to its children. */
export const CHILD_PROPERTIES = {
  Folder: ['childEntity'],
  Datacenter: ['vmFolder', 'hostFolder', 'datastoreFolder', 'networkFolder'],
  ComputeResource: ['host', 'resourcePool'],
  ResourcePool: ['resourcePool', 'vm'],
  HostSystem: ['vm'],
} as const;

export type ContainerType = keyof typeof CHILD_PROPERTIES;

/** Without recursion pools and hosts still give the machines in them, one level down. */
const SHALLOW_BELOW: Partial<Record<ContainerType, readonly ContainerType[]>> = {
  ComputeResource: ['HostSystem', 'ResourcePool'],
  ResourcePool: ['ResourcePool'],
};

/** The kind of container that a managed type is; undefined when it is none. */
export function containerTypeOf(type: string): ContainerType | undefined {
  return CONTAINER_TYPES.find((container) => schema.isSubtype(type, container));
}

const CONTAINER_TYPES = Object.keys(CHILD_PROPERTIES) as ContainerType[];

/** What is in the container, and with `recursive` in what is in it. The container itself is not reported. */
export function planContainer(container: MoRef, type: ContainerType, recursive: boolean): FilterPlan {
  const selectSet = recursive ? everything() : shallow(type);
  return planFilter(
    {
      propSet: [{ type: 'ManagedEntity' }],
      objectSet: [{ obj: container, skip: true, selectSet }],
    },
    Number.POSITIVE_INFINITY,
  );
}

function everything(): TraversalSpec[] {
  const steps = CONTAINER_TYPES.flatMap((type) => CHILD_PROPERTIES[type].map((path) => ({ type, path })));
  const nameOf = (step: { type: string; path: string }) => `${step.type}.${step.path}`;
  const next = steps.map((step) => make('SelectionSpec', { name: nameOf(step) }));
  return steps.map((step) => make('TraversalSpec', { ...step, name: nameOf(step), selectSet: next }));
}

function shallow(type: ContainerType): TraversalSpec[] {
  const machines = (SHALLOW_BELOW[type] ?? []).map((below) => make('TraversalSpec', { type: below, path: 'vm' }));
  return CHILD_PROPERTIES[type].map((path) => make('TraversalSpec', { type, path, selectSet: machines }));
}
