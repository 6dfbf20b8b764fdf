// For tests: a machine of four cores.
import type { MachineFacts } from '../host-system/machine-facts.ts';

export const TEST_FACTS: MachineFacts = {
  vendor: 'Vivarium',
  model: 'Test machine',
  uuid: '6f1e4a3c-0000-4000-8000-000000000001',
  serialNumber: 'None',
  biosVersion: '1',
  cpuModel: 'Test CPU @ 2.00GHz',
  cpuVendor: 'intel',
  cpuMhz: 2000,
  cpuFlags: new Set(['lm']),
  packages: [{ index: 0, threads: [0, 1, 2, 3] }],
  cores: 4,
  threads: 4,
  memoryBytes: 16 * 2 ** 30,
};

/** No certificate: nobody speaks TLS with it. */
export const TEST_IDENTITY = { certificate: 'none', privateKey: 'none', thumbprint: 'AA:BB' } as const;
