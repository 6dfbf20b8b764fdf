// Console tickets: who holds one may open one VM's screen, once, within its life.
import type { Clock, Random } from '@vivarium/base';
import { Tickets } from '@vivarium/vmomi';

const LIFE_MS = 120_000;

interface ForConsole {
  /** The VM whose screen it opens (moref value). */
  readonly vm: string;
  readonly userName: string;
}

export type ConsoleTickets = Pick<Tickets<ForConsole>, 'issue' | 'redeem'>;

/** Every user of a vCenter is vpxuser here: one of them with a few VMs is not to push out the tickets for others. */
export function consoleTickets({ clock, random }: { readonly clock: Clock; readonly random: Random }): ConsoleTickets {
  return new Tickets({ clock, random, lifeMs: LIFE_MS, ownerOf: ({ vm, userName }) => `${vm} ${userName}` });
}
