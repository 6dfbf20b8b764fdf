// For tests: the languages of a daemon's clients.
import { type ApiVersion, schema } from '@vivarium/vim';

/** What a client speaks. */
export interface Speech {
  readonly form: 'SOAP' | 'VI/JSON';
  readonly version: ApiVersion;
}

export const NEWEST = schema.versions[0] ?? schema.legacyVersion;

/** The newest clients, those of one release before, pyVmomi's oldest, and those that name no version at all. */
export const SPEECHES: readonly Speech[] = [
  { form: 'VI/JSON', version: NEWEST },
  { form: 'VI/JSON', version: '8.0.1.0' },
  { form: 'SOAP', version: NEWEST },
  { form: 'SOAP', version: '6.7' },
  { form: 'SOAP', version: schema.legacyVersion },
];

/** Whether somebody who speaks so knows what has been there since `rank`. */
export function knows({ version }: Speech, { rank }: { readonly rank: number }): boolean {
  return rank <= (schema.rank(version) ?? -1);
}
