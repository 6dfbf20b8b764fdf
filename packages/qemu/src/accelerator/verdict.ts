// What a KVM probe's outcome means. Pure.

export type Accelerator = 'kvm' | 'tcg';

export interface Verdict {
  readonly accelerator: Accelerator;
  /** One sentence for people: what was tried and what came out. */
  readonly detail: string;
  /** What would have to be done for KVM; absent when it works. */
  readonly mend?: string;
}

export type ProbeOutcome =
  | { readonly kind: 'absent' }
  | { readonly kind: 'forbidden'; readonly groupName?: string }
  /** The payload's user space spoke. */
  | { readonly kind: 'booted'; readonly milliseconds: number }
  | { readonly kind: 'silent'; readonly limitMs: number }
  /** QEMU gave up, or KVM reported an internal error to it. */
  | { readonly kind: 'failed'; readonly words: string };

const NESTED =
  'switch on virtualization (VT-x, AMD-V) in the firmware; in a virtual machine, nested virtualization in its host';

export function judgeProbe(outcome: ProbeOutcome): Verdict {
  switch (outcome.kind) {
    case 'booted':
      return { accelerator: 'kvm', detail: `KVM ran a 64-bit guest in ${Math.round(outcome.milliseconds)} ms` };
    case 'absent':
      return { accelerator: 'tcg', detail: 'there is no /dev/kvm: guests are emulated', mend: NESTED };
    case 'forbidden': {
      const group = outcome.groupName === undefined ? 'its group' : `the group ${outcome.groupName}`;
      const detail = '/dev/kvm may not be opened by this user: guests are emulated';
      return { accelerator: 'tcg', detail, mend: `add the user to ${group}, or run as root` };
    }
    case 'silent':
      return {
        accelerator: 'tcg',
        detail: `/dev/kvm opens but did not run a 64-bit guest within ${outcome.limitMs / 1000} s: guests are emulated`,
        mend: NESTED,
      };
    case 'failed':
      return {
        accelerator: 'tcg',
        detail: `/dev/kvm opens but did not run a 64-bit guest: ${outcome.words}: guests are emulated`,
        mend: NESTED,
      };
  }
}

/** Words by which QEMU says that KVM failed while QEMU itself goes on waiting with a dead machine. */
export function findKvmFailure(said: string): string | undefined {
  const line = said
    .split('\n')
    .find((text) => /KVM internal error|emulation failure|kvm run failed|failed to/i.test(text));
  return line?.replace(/^\S*qemu-system-x86_64: /, '').trim();
}
