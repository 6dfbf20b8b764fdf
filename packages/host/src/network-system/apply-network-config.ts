// UpdateNetworkConfig: many changes in one request, all or none. Pure.
import { type HostNetworkConfig, MethodFault } from '@vivarium/vim';
import type { NetworkConfiguration } from '../network/configuration.ts';
import {
  addPortGroup,
  addVirtualSwitch,
  type InUse,
  removePortGroup,
  removeVirtualSwitch,
  updatePortGroup,
  updateVirtualSwitch,
} from './change-configuration.ts';
import type { Adapters } from './uplinks.ts';

/** In the request's order, switches before port groups. */
export function applyNetworkConfig(
  configuration: NetworkConfiguration,
  config: HostNetworkConfig,
  changeMode: string,
  inUse: InUse,
  adapters: Adapters = [],
): NetworkConfiguration {
  if (changeMode !== 'modify')
    throw new MethodFault('NotSupported', {}, `Change mode '${changeMode}' is not supported yet.`);
  const { vswitch = [], portgroup = [], _typeName, ...others } = config;
  const unbuilt = Object.entries(others).find(([, value]) => !Array.isArray(value) || value.length > 0);
  if (unbuilt) throw new MethodFault('NotSupported', {}, `Changing '${unbuilt[0]}' is not supported yet.`);
  const withSwitches = vswitch.reduce((now, { changeOperation, name, spec }, index) => {
    if (changeOperation === 'remove') return removeVirtualSwitch(now, name, inUse);
    if (changeOperation === 'add') return addVirtualSwitch(now, name, spec, adapters);
    const property = `config.vswitch[${index}]`;
    if (changeOperation === 'edit') {
      return updateVirtualSwitch(now, name, required(spec, `${property}.spec`), adapters);
    }
    throw new MethodFault('InvalidArgument', { invalidProperty: `${property}.changeOperation` });
  }, configuration);
  return portgroup.reduce((now, { changeOperation, spec }, index) => {
    const property = `config.portgroup[${index}]`;
    const given = required(spec, `${property}.spec`);
    if (changeOperation === 'remove') return removePortGroup(now, given.name, inUse);
    if (changeOperation === 'add') return addPortGroup(now, given);
    if (changeOperation === 'edit') return updatePortGroup(now, given.name, given);
    throw new MethodFault('InvalidArgument', { invalidProperty: `${property}.changeOperation` });
  }, withSwitches);
}

function required<T>(value: T | undefined, invalidProperty: string): T {
  if (value === undefined) throw new MethodFault('InvalidArgument', { invalidProperty });
  return value;
}
