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
import type { Call } from '@vivarium/vmomi';
import { planImport } from './import-spec.ts';
import { parseOvf } from './ovf-envelope.ts';

export interface OvfContext {
  /** Throws ManagedObjectNotFound. */
  readonly datastoreName: (datastore: MoRef<'Datastore'>) => string;
  readonly networkNames: () => readonly string[];
  readonly networkName: (network: MoRef<'Network'>) => string | undefined;
}

export function ovfManagerHandlers(context: OvfContext): Handlers<'OvfManager', Call> {
  return {
    // What is wrong with the descriptor is part of the answer (`error`), not a fault of the call.
    CreateImportSpec({ ovfDescriptor, datastore, cisp }) {
      const name = context.datastoreName(datastore);
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
  { networkNames, networkName }: OvfContext,
  descriptor: string,
  datastore: string,
  cisp: OvfCreateImportSpecParams,
): OvfCreateImportSpecResult {
  const envelope = parseOvf(descriptor);
  const [system, ...more] = envelope.systems;
  if (!system) throw new MethodFault('OvfMissingElement', { lineNumber: 1, name: 'VirtualSystem' });
  if (more.length > 0) throw new MethodFault('OvfUnsupportedElement', { name: 'VirtualSystemCollection' });
  const names = networkNames();
  const { configSpec, fileItems, warnings } = planImport(envelope, system, {
    entityName: cisp.entityName,
    datastore,
    diskProvisioning: cisp.diskProvisioning || undefined,
    network(name) {
      const mapping = cisp.networkMapping?.find((candidate) => candidate.name === name);
      if (mapping) return networkName(mapping.network as MoRef<'Network'>);
      return names.includes(name) ? name : names[0];
    },
  });
  return make('OvfCreateImportSpecResult', {
    importSpec: make('VirtualMachineImportSpec', { configSpec }),
    fileItem: fileItems.length > 0 ? [...fileItems] : undefined,
    warning: warnings.length > 0 ? [...warnings] : undefined,
  });
}
