// A host's news of what it has done come behind its answers: whoever asked waits for the inventory to show it.
import { type Clock, delay } from '@vivarium/base';
import type { Inventory } from '../inventory/inventory.ts';

/** A host that is away by then tells of it later; that it was done is said already. */
const PATIENCE_MS = 30_000;

/** Resolves when it is shown, or was long in coming; rejects with the signal's reason. Looks at each change of the inventory. */
export async function whenShown(
  { inventory, clock }: { readonly inventory: Pick<Inventory, 'onChange'>; readonly clock: Clock },
  isShown: () => boolean,
  signal?: AbortSignal,
): Promise<void> {
  if (isShown()) return;
  const shown = new AbortController();
  using stack = new DisposableStack();
  stack.defer(
    inventory.onChange(() => {
      if (isShown()) shown.abort();
    }),
  );
  const over = signal ? AbortSignal.any([signal, shown.signal]) : shown.signal;
  await delay(clock, PATIENCE_MS, over).catch(() => undefined);
  signal?.throwIfAborted();
}
