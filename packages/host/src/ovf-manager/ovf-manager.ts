// OvfManager: descriptors of virtual appliances. Of its methods CreateImportSpec is built.
import {
  type Handlers,
  isFault,
  MethodFault,
  type MoRef,
  make,
  type OvfCreateImportSpecParams,
  type OvfCreateImportSpecResult,
  toLocalizedMethodFault,
} from '@vivarium/vim';
import type { Call, ObjectGraph } from '@vivarium/vmomi';
import type { Datastores } from '../datastore/datastores.ts';
import { planImport } from './import-spec.ts';
import { parseOvf } from './ovf-envelope.ts';

export interface OvfContext {
  readonly graph: Pick<ObjectGraph, 'ofType' | 'find'>;
  readonly datastores: Datastores;
}

export function ovfManagerHandlers(context: OvfContext): Handlers<'OvfManager', Call> {
  return {
    // What is wrong with the descriptor is part of the answer (`error`), not a fault of the call.
    CreateImportSpec({ ovfDescriptor, datastore, cisp }) {
      const { name } = context.datastores.ofRef(datastore);
      try {
        return importSpec(context, ovfDescriptor, name, cisp);
      } catch (error) {
        if (!isFault(error, 'OvfFault')) throw error;
        return make('OvfCreateImportSpecResult', { error: [toLocalizedMethodFault(error)] });
      }
    },
  };
}

function importSpec(
  { graph }: OvfContext,
  descriptor: string,
  datastore: string,
  cisp: OvfCreateImportSpecParams,
): OvfCreateImportSpecResult {
  const envelope = parseOvf(descriptor);
  const [system, ...more] = envelope.systems;
  if (!system) throw new MethodFault('OvfMissingElement', { lineNumber: 1, name: 'VirtualSystem' });
  if (more.length > 0) throw new MethodFault('OvfUnsupportedElement', { name: 'VirtualSystemCollection' });
  const names = Array.from(graph.ofType('Network'), (network) => network.get('name') ?? '');
  const nameOf = (ref: MoRef) => graph.find(ref)?.getPath('name') as string | undefined;
  const { configSpec, fileItems, warnings } = planImport(envelope, system, {
    entityName: cisp.entityName,
    datastore,
    diskProvisioning: cisp.diskProvisioning || undefined,
    network(name) {
      const mapping = cisp.networkMapping?.find((candidate) => candidate.name === name);
      if (mapping) return nameOf(mapping.network as MoRef);
      return names.includes(name) ? name : names[0];
    },
  });
  return make('OvfCreateImportSpecResult', {
    importSpec: make('VirtualMachineImportSpec', { configSpec }),
    fileItem: fileItems.length > 0 ? [...fileItems] : undefined,
    warning: warnings.length > 0 ? [...warnings] : undefined,
  });
}
