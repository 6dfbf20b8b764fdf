// What an option is and which values it takes. Pure.
import { MethodFault, make, type OptionDef, type OptionType } from '@vivarium/vim';

interface OptionCommon {
  /** 'Config.HostAgent.log.level': dot-separated, matched without regard to case. */
  readonly key: string;
  readonly label: string;
  readonly summary: string;
  readonly isReadOnly?: boolean;
}

export type OptionDefinition = OptionCommon &
  (
    | { readonly kind: 'boolean'; readonly defaultValue: boolean }
    | { readonly kind: 'int' | 'long'; readonly defaultValue: number; readonly min: number; readonly max: number }
    | { readonly kind: 'string'; readonly defaultValue: string; readonly mostCharacters?: number }
    | { readonly kind: 'choice'; readonly defaultValue: string; readonly choices: readonly string[] }
  );

export type OptionValueType = boolean | number | string;

/**
 * The value as this option holds it, from what a client sent: boxed or bare, and with strings for numbers and booleans,
 * which clients that know no types send. Fault: InvalidArgument naming the key.
 */
export function parseOptionValue(definition: OptionDefinition, sent: unknown): OptionValueType {
  const value = unbox(sent);
  const parsed = parse(definition, value);
  if (parsed === undefined || !isAllowed(definition, parsed)) {
    throw new MethodFault(
      'InvalidArgument',
      { invalidProperty: definition.key },
      `${definition.key} cannot be ${String(value)}.`,
    );
  }
  return parsed;
}

function parse(definition: OptionDefinition, value: unknown): OptionValueType | undefined {
  switch (definition.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : { true: true, false: false }[String(value).toLowerCase()];
    case 'int':
    case 'long': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
    }
    case 'string':
    case 'choice':
      return typeof value === 'string' ? value : undefined;
  }
}

function isAllowed(definition: OptionDefinition, value: OptionValueType): boolean {
  if (definition.kind === 'int' || definition.kind === 'long') {
    return Number(value) >= definition.min && Number(value) <= definition.max;
  }
  if (definition.kind === 'choice') return definition.choices.includes(String(value));
  return String(value).length <= (definition.kind === 'string' ? (definition.mostCharacters ?? 4096) : 8);
}

/** The value as OptionValue.value carries it. */
export function boxOptionValue(definition: OptionDefinition, value: OptionValueType): unknown {
  return definition.kind === 'long' ? { _typeName: 'long', _value: value } : value;
}

export function optionDef(definition: OptionDefinition): OptionDef {
  const { key, label, summary } = definition;
  return make('OptionDef', { key, label, summary, optionType: optionType(definition) });
}

function optionType(definition: OptionDefinition): OptionType {
  const valueIsReadonly = definition.isReadOnly ?? false;
  switch (definition.kind) {
    case 'boolean':
      return make('BoolOption', { valueIsReadonly, supported: true, defaultValue: definition.defaultValue });
    case 'int':
    case 'long': {
      const { min, max, defaultValue } = definition;
      return make(definition.kind === 'int' ? 'IntOption' : 'LongOption', { valueIsReadonly, min, max, defaultValue });
    }
    case 'string':
      return make('StringOption', { valueIsReadonly, defaultValue: definition.defaultValue });
    case 'choice':
      return make('ChoiceOption', {
        valueIsReadonly,
        choiceInfo: definition.choices.map((key) => make('ElementDescription', { key, label: key, summary: key })),
        defaultIndex: definition.choices.indexOf(definition.defaultValue),
      });
  }
}

/** The value itself, boxed or not. */
export function unbox(value: unknown): unknown {
  return typeof value === 'object' && value !== null && '_value' in value ? value._value : value;
}
