// Who is at work on which disk: one writer or many readers. Nobody waits: a disk that is busy is FileLocked, as on ESXi.
// Keys are absolute paths of descriptors.
import { MethodFault } from '@vivarium/vim';

export class DiskLocks {
  readonly #holders = new Map<string, number>();

  /** For reading: shared with other readers. */
  share(absolute: string, text: string): Disposable {
    const holders = this.#holders.get(absolute) ?? 0;
    if (holders < 0) throw new MethodFault('FileLocked', { file: text });
    this.#holders.set(absolute, holders + 1);
    return this.#release(absolute, -1);
  }

  /** For changing. */
  own(absolute: string, text: string): Disposable {
    this.checkFree(absolute, text);
    this.#holders.set(absolute, -1);
    return this.#release(absolute, 1);
  }

  checkFree(absolute: string, text: string): void {
    if (this.#holders.has(absolute)) throw new MethodFault('FileLocked', { file: text });
  }

  #release(absolute: string, step: 1 | -1): Disposable {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        const rest = (this.#holders.get(absolute) ?? 0) + step;
        if (rest === 0) this.#holders.delete(absolute);
        else this.#holders.set(absolute, rest);
      },
    };
  }
}
