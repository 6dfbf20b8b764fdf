// What this machine is made of, read from /proc and /sys once at start.
import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';

export interface MachineFacts {
  readonly vendor: string;
  readonly model: string;
  /** Lower case. */
  readonly uuid: string;
  readonly serialNumber: string;
  readonly biosVersion: string;
  readonly cpuModel: string;
  /** `intel`, `amd` or `unknown`, as HostCpuPackage.vendor. */
  readonly cpuVendor: string;
  readonly cpuMhz: number;
  /** The kernel's names of what the CPU can do. */
  readonly cpuFlags: ReadonlySet<string>;
  readonly packages: readonly CpuPackage[];
  readonly cores: number;
  readonly threads: number;
  readonly memoryBytes: number;
}

export interface CpuPackage {
  readonly index: number;
  /** Logical CPUs of the package. */
  readonly threads: readonly number[];
}

/** Reads the facts; `fallbackUuid` stands in where the firmware's is unreadable (no root) or missing. */
export async function readMachineFacts(fallbackUuid: string): Promise<MachineFacts> {
  const cpu = parseCpuInfo(await readFile('/proc/cpuinfo', 'utf8'));
  const uuid = (await dmi('product_uuid')).toLowerCase();
  return {
    ...cpu,
    vendor: (await dmi('sys_vendor')) || 'Unknown',
    model: (await dmi('product_name')) || 'Unknown',
    uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid) ? uuid : fallbackUuid,
    serialNumber: (await dmi('product_serial')) || 'None',
    biosVersion: (await dmi('bios_version')) || 'Unknown',
    memoryBytes: totalmem(),
  };
}

async function dmi(name: string): Promise<string> {
  const text = await readFile(`/sys/class/dmi/id/${name}`, 'utf8').catch(() => '');
  return text.trim();
}

type CpuFacts = Pick<MachineFacts, 'cpuModel' | 'cpuVendor' | 'cpuMhz' | 'cpuFlags' | 'packages' | 'cores' | 'threads'>;

/** Parses /proc/cpuinfo (x86). */
export function parseCpuInfo(text: string): CpuFacts {
  const processors = text
    .split(/\n\s*\n/)
    .map((block) => new Map(block.split('\n').map((line) => splitLine(line))))
    .filter((fields) => fields.has('processor'));
  const first = processors[0] ?? new Map<string, string>();
  const byPackage = new Map<number, number[]>();
  const cores = new Set<string>();
  for (const fields of processors) {
    const packageId = Number(fields.get('physical id') ?? 0);
    const thread = Number(fields.get('processor'));
    byPackage.set(packageId, [...(byPackage.get(packageId) ?? []), thread]);
    cores.add(`${packageId}/${fields.get('core id') ?? thread}`);
  }
  const vendorId = first.get('vendor_id') ?? '';
  return {
    cpuModel: first.get('model name') ?? 'Unknown',
    cpuVendor: vendorId === 'GenuineIntel' ? 'intel' : vendorId === 'AuthenticAMD' ? 'amd' : 'unknown',
    cpuMhz: Math.round(Number(first.get('cpu MHz') ?? 1000)),
    cpuFlags: new Set((first.get('flags') ?? '').split(' ').filter(Boolean)),
    packages: [...byPackage.values()].map((threads, index) => ({ index, threads })),
    cores: cores.size,
    threads: processors.length,
  };
}

function splitLine(line: string): [string, string] {
  const colon = line.indexOf(':');
  return colon < 0 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}
