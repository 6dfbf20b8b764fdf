// Who is at work on which disk: one writer or many readers. Nobody waits: a disk that is busy is FileLocked, as on ESXi.
// A reader that only keeps a disk open for later may say so: it is asked to go when somebody wants the disk for itself.
// Keys are absolute paths of descriptors.
import { MethodFault } from '@vivarium/vim';

interface Holders {
  isOwned: boolean;
  readers: number;
  /** Ask a reader to go; true = it has let go. */
  readonly yields: Set<() => boolean>;
}

export class DiskLocks {
  readonly #holders = new Map<string, Holders>();

  /** For reading: shared with other readers. `giveWay`: lets go (and returns true) if it is not needed at this moment. */
  share(absolute: string, text: string, giveWay?: () => boolean): Disposable {
    const holders = this.#holders.get(absolute) ?? { isOwned: false, readers: 0, yields: new Set() };
    if (holders.isOwned) throw new MethodFault('FileLocked', { file: text });
    this.#holders.set(absolute, holders);
    holders.readers++;
    if (giveWay) holders.yields.add(giveWay);
    return once(() => {
      if (giveWay) holders.yields.delete(giveWay);
      holders.readers--;
      if (holders.readers === 0) this.#holders.delete(absolute);
    });
  }

  /** For changing. */
  own(absolute: string, text: string): Disposable {
    this.checkFree(absolute, text);
    this.#holders.set(absolute, { isOwned: true, readers: 0, yields: new Set() });
    return once(() => this.#holders.delete(absolute));
  }

  /** Throws FileLocked while somebody reads or changes the disk. */
  checkFree(absolute: string, text: string): void {
    const holders = this.#holders.get(absolute);
    for (const giveWay of [...(holders?.yields ?? [])]) giveWay();
    if (this.#holders.has(absolute)) throw new MethodFault('FileLocked', { file: text });
  }
}

function once(release: () => void): Disposable {
  let isHeld = true;
  return {
    [Symbol.dispose]() {
      if (!isHeld) return;
      isHeld = false;
      release();
    },
  };
}
