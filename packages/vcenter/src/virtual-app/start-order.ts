// In which steps the members of a vApp start and stop. Pure. Source: vSphere Web Services API, VAppEntityConfigInfo.
import type { VAppEntityConfigInfo } from '@vivarium/vim';

/** Members of one step go together. Stopping goes through the steps the other way round. */
export function startSteps(entities: readonly VAppEntityConfigInfo[]): VAppEntityConfigInfo[][] {
  const steps = new Map<number, VAppEntityConfigInfo[]>();
  for (const entity of entities) {
    const order = entity.startOrder ?? 0;
    steps.set(order, [...(steps.get(order) ?? []), entity]);
  }
  return [...steps].sort(([a], [b]) => a - b).map(([, step]) => step);
}
