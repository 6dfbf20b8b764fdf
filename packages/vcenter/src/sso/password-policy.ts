// What a password has to be, and one that is so. Pure but for the randomness it is given.
import type { Random } from '@vivarium/base';

/** The names and defaults of vCenter Single Sign-On ("Edit the vCenter Single Sign-On Password Policy"). */
export interface PasswordPolicy {
  readonly minLength: number;
  readonly maxLength: number;
  readonly minAlphabeticCount: number;
  readonly minUppercaseCount: number;
  readonly minLowercaseCount: number;
  readonly minNumericCount: number;
  readonly minSpecialCharCount: number;
  readonly maxIdenticalAdjacentCharacters: number;
  /** How many of a user's last passwords may not come again. */
  readonly prohibitedPreviousPasswordsCount: number;
  /** Days after which a password has to be changed; 0 = never. */
  readonly passwordLifetimeDays: number;
}

export const DEFAULT_PASSWORD_POLICY: PasswordPolicy = {
  minLength: 8,
  maxLength: 20,
  minAlphabeticCount: 2,
  minUppercaseCount: 1,
  minLowercaseCount: 1,
  minNumericCount: 1,
  minSpecialCharCount: 1,
  maxIdenticalAdjacentCharacters: 3,
  prohibitedPreviousPasswordsCount: 5,
  // vSphere: 90. A vCenter that nobody can log in to any more after three months helps nobody.
  passwordLifetimeDays: 0,
};

const MOST_CHARACTERS = 1000;
const MOST_FORMER = 24;
const MOST_DAYS = 9999;

export function isCount(number: number, most: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= most;
}

/** Whether some password obeys the policy. */
export function isPossible(policy: PasswordPolicy): boolean {
  const letters = Math.max(policy.minAlphabeticCount, policy.minUppercaseCount + policy.minLowercaseCount);
  const needed = letters + policy.minNumericCount + policy.minSpecialCharCount;
  return (
    Object.values(policy).every((number: number) => isCount(number, MOST_DAYS)) &&
    policy.minLength >= 1 &&
    policy.maxLength >= Math.max(policy.minLength, needed) &&
    policy.maxLength <= MOST_CHARACTERS &&
    policy.maxIdenticalAdjacentCharacters >= 1 &&
    policy.prohibitedPreviousPasswordsCount <= MOST_FORMER
  );
}

/** The first rule that a password breaks, in words; undefined when it breaks none. */
export function brokenRule(password: string, policy: PasswordPolicy): string | undefined {
  const count = (kind: RegExp) => password.match(kind)?.length ?? 0;
  const atLeast: readonly (readonly [number, number, string])[] = [
    [password.length, policy.minLength, 'characters'],
    [count(/\p{L}/gu), policy.minAlphabeticCount, 'letters'],
    [count(/\p{Lu}/gu), policy.minUppercaseCount, 'upper-case letters'],
    [count(/\p{Ll}/gu), policy.minLowercaseCount, 'lower-case letters'],
    [count(/\p{Nd}/gu), policy.minNumericCount, 'digits'],
    [count(/[^\p{L}\p{Nd}]/gu), policy.minSpecialCharCount, 'special characters'],
  ];
  const short = atLeast.find(([has, needs]) => has < needs);
  if (short) return `it needs at least ${short[1]} ${short[2]}`;
  if (password.length > policy.maxLength) return `it may have at most ${policy.maxLength} characters`;
  const most = policy.maxIdenticalAdjacentCharacters;
  const isRepetitive = Array.from(password.matchAll(/(.)\1*/gsu)).some(([run]) => Array.from(run).length > most);
  return isRepetitive ? `it may have at most ${most} identical characters in a row` : undefined;
}

const LOWER = 'abcdefghijkmnopqrstuvwxyz';
const UPPER = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const DIGITS = '23456789';
/** No shell and no URL treats these specially. */
const SPECIAL = '-._';

/** A password of 20 characters, as far as the policy lets it: about 115 bits. */
export function generatePassword(policy: PasswordPolicy, random: Random): string {
  const length = Math.max(policy.minLength, Math.min(20, policy.maxLength));
  for (;;) {
    const password = Array.from({ length }, () => pick(LOWER + UPPER + DIGITS + SPECIAL, random)).join('');
    // The first and last character are letters, so that nobody takes a dash or a dot for punctuation.
    const whole = pick(UPPER, random) + password.slice(1, -1) + pick(LOWER, random);
    if (brokenRule(whole, policy) === undefined) return whole;
  }
}

/** Each character with the same probability. */
function pick(alphabet: string, random: Random): string {
  const limit = 256 - (256 % alphabet.length);
  for (;;) {
    const byte = random.bytes(1)[0] ?? 0;
    if (byte < limit) return alphabet.charAt(byte % alphabet.length);
  }
}
