// Writes a cpio archive of the kind that Linux unpacks as its first file system (format `newc`, see the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst). Pure; the same entries always give the same bytes.

export type CpioEntry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'device';
      readonly path: string;
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    };

const TYPE_BITS = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 } as const;

/** Everything belongs to root and has the time 0. Parent folders have to come before what lies in them. */
export function formatCpio(entries: readonly CpioEntry[]): Buffer {
  const chunks = entries.flatMap((entry, index) => formatEntry(entry, index + 1));
  chunks.push(...record({ path: 'TRAILER!!!', inode: 0, mode: 0, links: 1 }));
  return Buffer.concat(chunks);
}

function formatEntry(entry: CpioEntry, inode: number): Buffer[] {
  const mode = TYPE_BITS[entry.kind] | (entry.kind === 'link' ? 0o777 : entry.mode);
  const header = { path: entry.path, inode, mode, links: entry.kind === 'folder' ? 2 : 1 };
  if (entry.kind === 'device') return record({ ...header, major: entry.major, minor: entry.minor });
  if (entry.kind === 'link') return record({ ...header, content: Buffer.from(entry.target) });
  return entry.kind === 'file' ? record({ ...header, content: entry.content }) : record(header);
}

interface Header {
  readonly path: string;
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly content?: Uint8Array;
  readonly major?: number;
  readonly minor?: number;
}

function record(header: Header): Buffer[] {
  const name = Buffer.from(`${header.path}\0`);
  const content = header.content ?? new Uint8Array();
  // inode, mode, uid, gid, links, mtime, size, device of the file (2), device it is (2), name length, checksum
  const device = [0, 0, header.major ?? 0, header.minor ?? 0];
  const numbers = [header.inode, header.mode, 0, 0, header.links, 0, content.length, ...device, name.length, 0];
  const text = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
  return [Buffer.from(text), name, padding(text.length + name.length), Buffer.from(content), padding(content.length)];
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
