import type { DiskAdapter } from '../effects.ts';

export interface DiskGeometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
}

const GB = 1024 ** 3;

/** Cylinders, heads and sectors per track as VMware chooses them (Virtual Disk Format 5.0, "The Disk Database"). */
export function geometryOf(capacityBytes: number, adapter: DiskAdapter): DiskGeometry {
  const total = capacityBytes / 512;
  if (adapter === 'ide') return { cylinders: Math.min(16_383, Math.floor(total / (16 * 63))), heads: 16, sectors: 63 };
  const [heads, sectors] = capacityBytes < GB ? [64, 32] : capacityBytes < 2 * GB ? [128, 32] : [255, 63];
  return { cylinders: Math.floor(total / (heads * sectors)), heads, sectors };
}
