// One thing that this machine can or cannot do.

export interface Fact {
  readonly name: string;
  /** `reduced` = it works, with less. */
  readonly state: 'ok' | 'reduced' | 'missing';
  readonly detail: string;
  /** What to type or change, when something can be. */
  readonly mend?: string;
}
