/** A program that is not ours and speaks VMware's API. */
export interface ClientUnderTest {
  readonly name: string;
  /** `installed` or why it is not there: then its scenarios are reported as not run. */
  readonly state: 'installed' | 'not run';
  /** Version, or the reason. */
  readonly detail: string;
}
