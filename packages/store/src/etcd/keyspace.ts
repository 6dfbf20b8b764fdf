// Where what is kept in etcd. Everything is below one root:
//
//   <root>current                          which generation of documents and history counts (JSON); absent: the first
//   <root>d/<generation>/<key>             documents, JSON
//   <root>h/<generation>/<stream>/<number> history chunks (history-chunk.ts); 12 hexadecimal digits
//   <root>l/<name>/<lease>                 who holds or waits for a lock, in the order of their create revisions
//   <root>s/<generation>                   a generation that is being written and does not count yet
//   <root>w/<writer>                       the number of the newest transaction of each open store
import type { Revision } from '../store.ts';

export interface Generations {
  readonly documents: string;
  readonly history: string;
}

export const FIRST_GENERATION = '0';

/** What a key below the root is about. */
export type Place =
  | { readonly kind: 'current' | 'other' }
  | { readonly kind: 'document'; readonly generation: string; readonly key: string }
  | { readonly kind: 'chunk'; readonly generation: string; readonly stream: string; readonly number: number }
  | { readonly kind: 'lock'; readonly name: string; readonly id: string }
  | { readonly kind: 'writer'; readonly id: string };

export class Keyspace {
  readonly root: string;
  readonly current: Buffer;
  readonly all: { readonly key: Buffer; readonly rangeEnd: Buffer };
  readonly writers: { readonly key: Buffer; readonly rangeEnd: Buffer };

  /** `root` ends with a slash. */
  constructor(root: string) {
    this.root = root;
    this.current = Buffer.from(`${root}current`);
    this.all = prefixRange(root);
    this.writers = prefixRange(`${root}w/`);
  }

  document(generation: string, key: string): Buffer {
    return Buffer.from(`${this.root}d/${generation}/${key}`);
  }

  chunk(generation: string, stream: string, number: number): Buffer {
    return Buffer.from(`${this.root}h/${generation}/${stream}/${number.toString(16).padStart(12, '0')}`);
  }

  lock(name: string, id: string): Buffer {
    return Buffer.from(`${this.root}l/${name}/${id}`);
  }

  staging(generation: string): Buffer {
    return Buffer.from(`${this.root}s/${generation}`);
  }

  writer(id: string): Buffer {
    return Buffer.from(`${this.root}w/${id}`);
  }

  range(part: 'd' | 'h' | 's' | 'l', generation?: string): { readonly key: Buffer; readonly rangeEnd: Buffer } {
    return prefixRange(generation === undefined ? `${this.root}${part}/` : `${this.root}${part}/${generation}/`);
  }

  parse(key: Buffer): Place {
    const text = key.toString('utf8').slice(this.root.length);
    if (text === 'current') return { kind: 'current' };
    const part = text.slice(0, 2);
    const rest = text.slice(2);
    const slash = rest.indexOf('/');
    if (part === 'd/' && slash > 0) {
      return { kind: 'document', generation: rest.slice(0, slash), key: rest.slice(slash + 1) };
    }
    if (part === 'h/') {
      const [generation = '', stream = '', number = ''] = rest.split('/');
      return { kind: 'chunk', generation, stream, number: Number.parseInt(number, 16) };
    }
    if (part === 'l/') {
      const last = rest.lastIndexOf('/');
      return { kind: 'lock', name: rest.slice(0, last), id: rest.slice(last + 1) };
    }
    if (part === 'w/') return { kind: 'writer', id: rest };
    return { kind: 'other' };
  }
}

export function parseGenerations(value: Buffer | undefined): Generations {
  if (!value) return { documents: FIRST_GENERATION, history: FIRST_GENERATION };
  const { documents, history } = JSON.parse(value.toString('utf8')) as Generations;
  return { documents, history };
}

/** The generations that count, and since when: a writer compares it. 0: since ever. */
export interface Current extends Generations {
  readonly revision: Revision;
}

/** All keys with the prefix, which is not empty and ends with a slash. */
function prefixRange(prefix: string): { readonly key: Buffer; readonly rangeEnd: Buffer } {
  return { key: Buffer.from(prefix), rangeEnd: Buffer.from(`${prefix.slice(0, -1)}0`) }; // '0' is behind '/'
}
