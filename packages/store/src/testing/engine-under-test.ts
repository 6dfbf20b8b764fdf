import type { Store } from '../store.ts';

/** An engine, as the conformance suite opens it. */
export interface EngineUnderTest {
  readonly name: string;
  /** What is written is there when the place is opened again. */
  readonly isDurable: boolean;
  /** A place can be open more than once at a time. */
  readonly isShared: boolean;
  /** A new, empty place. */
  makePlace(): Promise<Place>;
}

export interface Place extends AsyncDisposable {
  /** Disposing of the place closes what is open. */
  open(): Promise<Store>;
}

/** Opens a store in a new place; disposing of the stack closes it and removes the place. */
export async function openIn(engine: EngineUnderTest, stack: AsyncDisposableStack): Promise<Store> {
  return stack.use(await engine.makePlace()).open();
}
