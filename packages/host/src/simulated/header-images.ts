// Disk images that are as small as can be: a qcow2 file is its header, a raw file a hole. Stands in for qemu-img.
// Differs from it: the content of a disk is not kept, foreign VMDKs become empty disks of their capacity.
import { open, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskImages, ImageFile, ImageSource } from '../virtual-disk-manager/disk-images.ts';
import { QCOW2_HEADER_BYTES } from '../virtual-disk-manager/qcow2-header.ts';

export class HeaderImages implements DiskImages {
  readonly uid = undefined;

  async create(target: ImageFile, capacityBytes: number): Promise<void> {
    const handle = await open(pathOf(target), 'wx', 0o644);
    try {
      if (target.format === 'raw') await handle.truncate(capacityBytes);
      else await handle.writeFile(qcow2Header(capacityBytes));
    } finally {
      await handle.close();
    }
  }

  async convert(source: ImageSource, target: ImageFile): Promise<void> {
    await this.create(target, source.kind === 'upload' ? source.plan.capacityBytes : await capacityOf(source.chain));
  }

  async grow(file: ImageFile, capacityBytes: number): Promise<void> {
    if (file.format === 'raw') return truncate(pathOf(file), capacityBytes);
    const handle = await open(pathOf(file), 'r+');
    try {
      await handle.write(qcow2Header(capacityBytes), 0, QCOW2_HEADER_BYTES, 0);
    } finally {
      await handle.close();
    }
  }

  serve(): Promise<void> {
    return Promise.reject(new Error('exports are not simulated'));
  }
}

/** Of the image on top. */
async function capacityOf([image]: readonly ImageFile[]): Promise<number> {
  if (!image) throw new Error('a chain without an image');
  if (image.format === 'raw') return (await stat(pathOf(image))).size;
  const bytes = await readFile(pathOf(image));
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(24));
}

function pathOf({ folder, name }: ImageFile): string {
  return join(folder, name);
}

function qcow2Header(capacityBytes: number): Uint8Array {
  const bytes = new Uint8Array(QCOW2_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, 3);
  view.setBigUint64(24, BigInt(capacityBytes));
  return bytes;
}
