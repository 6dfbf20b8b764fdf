// Checks of passwords against hashes, one at a time and bounded: strangers may ask for them.
import { Mutex } from '@vivarium/base';
import { verifyPassword } from './password.ts';

/** Checked instead when there is no such user, so that answers take equally long. Matches no password. */
const NOBODY = `$argon2id$v=19$m=7168,t=5,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
/** Checks that may wait for their turn; each turn takes 30 ms and 7 MiB. */
const MOST_WAITING = 100;

export class PasswordCheck {
  readonly #turn = new Mutex();
  #waiting = 0;

  /** Whether the password is right. `hash` undefined (no such user) is false after the same time; so are too many at once. */
  async isRight(password: string, hash: string | undefined): Promise<boolean> {
    if (this.#waiting >= MOST_WAITING) return false;
    this.#waiting += 1;
    try {
      return await this.#turn.run(() => verifyPassword(password, hash ?? NOBODY));
    } finally {
      this.#waiting -= 1;
    }
  }
}
