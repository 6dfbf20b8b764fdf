// Memory modules: plugged into a running machine, or there from the start when it goes on from a state that had them. Both ways
// give the same names, by which QEMU finds their content in the state.
import type { Device } from './device.ts';
import type { Machine } from './model.ts';

export interface MemoryModule {
  readonly backend: { readonly 'qom-type': string; readonly id: string; readonly size: number };
  readonly device: Device;
}

/** The module that makes a machine of `presentMB` larger by `sizeMB`. */
export function memoryModule(presentMB: number, sizeMB: number): MemoryModule {
  const id = `dimm-${presentMB}`;
  const memdev = `${id}-memory`;
  return {
    backend: { 'qom-type': 'memory-backend-ram', id: memdev, size: sizeMB * 1024 * 1024 },
    device: { driver: 'pc-dimm', id, memdev },
  };
}

/** Those that a machine starts with. */
export function startModules({ memoryMB, memoryModulesMB = [] }: Machine): MemoryModule[] {
  let presentMB = memoryMB;
  return memoryModulesMB.map((sizeMB) => {
    const module = memoryModule(presentMB, sizeMB);
    presentMB += sizeMB;
    return module;
  });
}
