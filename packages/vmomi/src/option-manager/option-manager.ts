// The managed object OptionManager over a set of options.
import { MethodFault, type MoRef, make, type OptionValue } from '@vivarium/vim';
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
  const optionValue = (definition: OptionDefinition): OptionValue =>
    make('OptionValue', { key: definition.key, value: boxOptionValue(definition, settings.get(definition.key)) });
  const setting = () => settings.definitions.map(optionValue);
  const manager = service.graph.add<'OptionManager'>(
    ref,
    { supportedOption: settings.definitions.map(optionDef), setting: setting() },
    {
      QueryOptions({ name = '' }) {
        const found = settings.query(name);
        if (found.length === 0) throw new MethodFault('InvalidName', { name });
        return found.map(optionValue);
      },
      UpdateOptions: ({ changedValue }) => settings.update(changedValue),
    },
    entity ? { entity } : {},
  );
  settings.onChange(() => manager.set('setting', setting()));
  return manager;
}
