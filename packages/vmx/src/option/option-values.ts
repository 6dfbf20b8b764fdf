import { type BoolOption, type ChoiceOption, type IntOption, type LongOption, make } from '@vivarium/vim';

export function intOption(min: number, max: number, defaultValue: number): IntOption {
  return make('IntOption', { min, max, defaultValue });
}

export function longOption(min: number, max: number, defaultValue: number): LongOption {
  return make('LongOption', { min, max, defaultValue });
}

/** A switch that can be set, and how it is without. */
export function boolOption(defaultValue: boolean, supported = true): BoolOption {
  return make('BoolOption', { supported, defaultValue });
}

/** The first choice is the default. */
export function choiceOption(...keys: readonly string[]): ChoiceOption {
  return make('ChoiceOption', {
    choiceInfo: keys.map((key) => make('ElementDescription', { key, label: key, summary: key })),
    defaultIndex: 0,
  });
}
