// The managed object OptionManager over a set of options.
import { type Handlers, MethodFault, type MoRef, make, type OptionDef, type OptionValue } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { Service } from '../service.ts';
import { boxOptionValue, type OptionDefinition, optionDef } from './option-definition.ts';
import type { Settings } from './settings.ts';

/** `entity`: where Host.Config.AdvancedConfig or Global.Settings is checked; default the root folder. */
export function addOptionManager(
  service: Service,
  ref: MoRef<'OptionManager'>,
  settings: Settings,
  entity?: MoRef,
): ManagedObject<'OptionManager'> {
  const manager = service.graph.add<'OptionManager'>(
    ref,
    optionProperties(settings),
    optionHandlers(settings),
    entity ? { entity } : {},
  );
  settings.onChange(() => manager.update(optionProperties(settings)));
  return manager;
}

/** OptionManager's properties. */
export function optionProperties(settings: Settings): {
  readonly supportedOption: OptionDef[];
  readonly setting: OptionValue[];
} {
  return {
    supportedOption: settings.definitions.map(optionDef),
    setting: settings.definitions.map((definition) => optionValue(settings, definition)),
  };
}

export function optionHandlers(settings: Settings) {
  return {
    QueryOptions({ name = '' }: { readonly name?: string | undefined }) {
      const found = settings.query(name);
      if (found.length === 0) throw new MethodFault('InvalidName', { name });
      return found.map((definition) => optionValue(settings, definition));
    },
    UpdateOptions: ({ changedValue }: { readonly changedValue: readonly OptionValue[] }) =>
      settings.update(changedValue),
  } satisfies Handlers<'OptionManager', Call>;
}

function optionValue(settings: Settings, definition: OptionDefinition): OptionValue {
  return make('OptionValue', { key: definition.key, value: boxOptionValue(definition, settings.get(definition.key)) });
}
