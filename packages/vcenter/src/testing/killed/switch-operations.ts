// For tests: operations on distributed switches and port groups.
import { make } from '@vivarium/vim';
import { change, isAbout, type Kind, kind, type Operation, put, without } from './operation.ts';
import { named, networkFolder } from './picture.ts';

export interface PortgroupFacts {
  readonly dvs: string;
  readonly ports: number;
}

const PORTS = 4;

export const switchOperations: readonly Kind[] = [
  kind('Folder.CreateDVS_Task', ({ count }) => createSwitch(`s${count}`)),
  ...(['CreateDVPortgroup_Task', 'AddDVPortgroup_Task'] as const).map((method) =>
    kind(`VmwareDistributedVirtualSwitch.${method}`, ({ count, one }) => {
      const dvs = one('switch');
      return dvs === undefined ? undefined : createPortgroup(method, `g${count}`, dvs);
    }),
  ),
  kind('VmwareDistributedVirtualSwitch.ReconfigureDvs_Task', ({ count, one }) => {
    const dvs = one('switch');
    return dvs === undefined ? undefined : describeSwitch(dvs, `note ${count}`);
  }),
  kind('DistributedVirtualPortgroup.ReconfigureDVPortgroup_Task', ({ one, below }) => {
    const portgroup = one('portgroup');
    return portgroup === undefined ? undefined : resizePortgroup(portgroup, 1 + below(8));
  }),
  kind('DistributedVirtualPortgroup.Destroy_Task', ({ one }) => {
    const portgroup = one('portgroup');
    return portgroup === undefined ? undefined : destroyPortgroup(portgroup, 'Destroy_Task');
  }),
  kind('DistributedVirtualPortgroup.DestroyNetwork', ({ one }) => {
    const portgroup = one('portgroup');
    return portgroup === undefined ? undefined : destroyPortgroup(portgroup, 'DestroyNetwork');
  }),
  kind('VmwareDistributedVirtualSwitch.Destroy_Task', ({ one, all, fact }) => {
    const dvs = one('switch');
    if (dvs === undefined) return undefined;
    const isOn = (name: string) => fact<PortgroupFacts>(`portgroup ${name}`).dvs === dvs;
    return destroySwitch(dvs, all('portgroup').filter(isOn));
  }),
];

function createSwitch(name: string): Operation {
  const configSpec = make('VMwareDVSConfigSpec', { name });
  return {
    text: `create switch ${name}`,
    run: ({ center }) =>
      center.task(networkFolder(center), 'CreateDVS_Task', { spec: make('DVSCreateSpec', { configSpec }) }),
    after: (before) => put(before, { [`switch ${name}`]: { note: '' } }),
  };
}

function describeSwitch(dvs: string, note: string): Operation {
  const spec = make('VMwareDVSConfigSpec', { description: note });
  return {
    text: `describe switch ${dvs}`,
    run: ({ center }) =>
      center.task(named(center, 'VmwareDistributedVirtualSwitch', dvs), 'ReconfigureDvs_Task', { spec }),
    after: (before) => change(before, `switch ${dvs}`, { note }),
  };
}

function createPortgroup(
  method: 'CreateDVPortgroup_Task' | 'AddDVPortgroup_Task',
  name: string,
  dvs: string,
): Operation {
  const spec = make('DVPortgroupConfigSpec', { name, numPorts: PORTS });
  return {
    text: `${method}: ${name} of ${dvs}`,
    run: ({ center }) =>
      center.task(named(center, 'VmwareDistributedVirtualSwitch', dvs), method, {
        spec: method === 'AddDVPortgroup_Task' ? [spec] : spec,
      }),
    after: (before) => put(before, { [`portgroup ${name}`]: { dvs, ports: PORTS } }),
  };
}

function resizePortgroup(portgroup: string, ports: number): Operation {
  const spec = make('DVPortgroupConfigSpec', { numPorts: ports });
  return {
    text: `give port group ${portgroup} ${ports} ports`,
    run: ({ center }) =>
      center.task(named(center, 'DistributedVirtualPortgroup', portgroup), 'ReconfigureDVPortgroup_Task', { spec }),
    after: (before) => change(before, `portgroup ${portgroup}`, { ports }),
  };
}

function destroyPortgroup(portgroup: string, method: 'Destroy_Task' | 'DestroyNetwork'): Operation {
  return {
    text: `${method} of port group ${portgroup}`,
    run({ center }) {
      const ref = named(center, 'DistributedVirtualPortgroup', portgroup);
      return method === 'Destroy_Task' ? center.task(ref, method) : center.invoke(ref, method);
    },
    after: (before) => without(before, isAbout(portgroup)),
  };
}

function destroySwitch(dvs: string, portgroups: readonly string[]): Operation {
  const gone = [dvs, ...portgroups].map(isAbout);
  return {
    text: `destroy switch ${dvs} with ${portgroups.join()}`,
    run: ({ center }) => center.task(named(center, 'VmwareDistributedVirtualSwitch', dvs), 'Destroy_Task'),
    after: (before) => without(before, (key) => gone.some((isIt) => isIt(key))),
  };
}
