// Bytes for the VMDK tests: heads as VMware's own tools and QEMU write them, made field by field.
import type { UploadedFile } from './check-upload.ts';

export interface HeaderFields {
  version?: number;
  flags?: number;
  capacity?: bigint;
  grain?: bigint;
  descriptorOffset?: bigint;
  descriptorSectors?: bigint;
  entries?: number;
  directory?: bigint;
  compression?: number;
}

export const STREAM_FLAGS = 0x30001;
export const AT_END = 0xffff_ffff_ffff_ffffn;

export function sparseHeader(fields: HeaderFields = {}): Uint8Array {
  const bytes = new Uint8Array(512);
  const data = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('KDMV'));
  data.setUint32(4, fields.version ?? 1, true);
  data.setUint32(8, fields.flags ?? 3, true);
  data.setBigUint64(12, fields.capacity ?? 2048n, true);
  data.setBigUint64(20, fields.grain ?? 128n, true);
  data.setBigUint64(28, fields.descriptorOffset ?? 1n, true);
  data.setBigUint64(36, fields.descriptorSectors ?? 20n, true);
  data.setUint32(44, fields.entries ?? 512, true);
  data.setBigUint64(48, 21n, true);
  data.setBigUint64(56, fields.directory ?? 26n, true);
  data.setBigUint64(64, 128n, true);
  bytes.set([0x0a, 0x20, 0x0d, 0x0a], 73);
  data.setUint16(77, fields.compression ?? 0, true);
  return bytes;
}

export function descriptorText(lines: readonly string[]): string {
  return `# Disk DescriptorFile\nversion=1\nCID=7a1b2c3d\nparentCID=ffffffff\n${lines.join('\n')}\n#DDB\nddb.adapterType = "lsilogic"\n`;
}

/** A file of one sparse header and an embedded descriptor of 20 sectors. */
export function sparseFile(name: string, fields: HeaderFields, descriptor: string, footer?: Uint8Array): UploadedFile {
  const head = new Uint8Array(21 * 512);
  head.set(sparseHeader(fields));
  head.set(new TextEncoder().encode(descriptor), 512);
  return { name, sizeBytes: 1 << 20, head, tail: footer ?? new Uint8Array(1536) };
}

export function footer(fields: HeaderFields = {}): Uint8Array {
  const bytes = new Uint8Array(1536);
  new DataView(bytes.buffer).setUint32(12, 3, true);
  bytes.set(sparseHeader(fields), 512);
  return bytes;
}

export function textFile(name: string, text: string): UploadedFile {
  const head = new TextEncoder().encode(text);
  return { name, sizeBytes: head.length, head, tail: head.slice(-1536) };
}

export function dataFile(name: string, sizeBytes: number, head: Uint8Array = new Uint8Array(512)): UploadedFile {
  return { name, sizeBytes, head, tail: new Uint8Array(1536) };
}
