// History streams in etcd: appends go through the writer, and after them the stream's chunks are kept few.
import type { EncodedEntry } from '../encode-entries.ts';
import type { EngineHistory, Guard } from '../engine.ts';
import type { HistoryEntry, HistoryQuery } from '../history.ts';
import type { EtcdWriter } from './etcd-writer.ts';
import { encodeDeflatedChunk } from './history-chunk.ts';
import type { Mirror } from './mirror.ts';

export class EtcdHistory implements EngineHistory {
  readonly #mirror: Mirror;
  readonly #writer: EtcdWriter;
  /** Streams whose chunks are being looked after. */
  readonly #kept = new Map<string, Promise<void>>();

  constructor(mirror: Mirror, writer: EtcdWriter) {
    this.#mirror = mirror;
    this.#writer = writer;
  }

  async append(stream: string, entries: readonly EncodedEntry[], keep: number, guard: Guard): Promise<void> {
    await this.#writer.submit({ kind: 'append', stream, entries }, guard);
    if (this.#kept.has(stream)) return;
    const kept = this.#lookAfter(stream, keep, guard).finally(() => this.#kept.delete(stream));
    this.#kept.set(stream, kept);
  }

  page<T>(stream: string, query: HistoryQuery): HistoryEntry<T>[] {
    return this.#mirror.history.page(stream, query);
  }

  lastKey(stream: string): number {
    return this.#mirror.history.lastKey(stream);
  }

  count(stream: string): number {
    return this.#mirror.history.count(stream);
  }

  streams(): string[] {
    return this.#mirror.history.streams();
  }

  /** Resolves when nothing is being done to any stream's chunks. */
  async settled(): Promise<void> {
    await Promise.all(this.#kept.values());
  }

  /** One step at a time until there is nothing to do. What fails is tried again after a later append. */
  async #lookAfter(stream: string, keep: number, guard: Guard): Promise<void> {
    try {
      for (;;) {
        const upkeep = this.#mirror.history.planUpkeep(stream, keep);
        if (!upkeep) return;
        const merged = upkeep.kind === 'merge' ? await encodeDeflatedChunk(upkeep.entries) : Buffer.alloc(0);
        await this.#writer.submit({ kind: 'upkeep', stream, upkeep, merged }, guard);
      }
    } catch {
      // The entries are safe where they are.
    }
  }
}
