// HostHardwareInfo.cpuFeature: CPUID's feature registers, put together from the flags that the kernel names in /proc/cpuinfo
// (a process cannot run CPUID's privileged reading here). Bits that no flag tells of are `-`. Pure.
// Every register is there: libvirt's ESX driver falls over one that is missing.
// Source of the bit numbers: Linux, arch/x86/include/asm/cpufeatures.h, words 0, 1, 4 and 6.
import { type HostCpuIdInfo, make } from '@vivarium/vim';

type Bits = Readonly<Record<string, number>>;

const basicEdx: Bits = {
  ...{ fpu: 0, vme: 1, de: 2, pse: 3, tsc: 4, msr: 5, pae: 6, mce: 7, cx8: 8, apic: 9, sep: 11, mtrr: 12, pge: 13 },
  ...{ mca: 14, cmov: 15, pat: 16, pse36: 17, pn: 18, clflush: 19, dts: 21, acpi: 22, mmx: 23, fxsr: 24, sse: 25 },
  ...{ sse2: 26, ss: 27, ht: 28, tm: 29, ia64: 30, pbe: 31 },
};
const basicEcx: Bits = {
  ...{ pni: 0, pclmulqdq: 1, dtes64: 2, monitor: 3, ds_cpl: 4, vmx: 5, smx: 6, est: 7, tm2: 8, ssse3: 9, cid: 10 },
  ...{ sdbg: 11, fma: 12, cx16: 13, xtpr: 14, pdcm: 15, pcid: 17, dca: 18, sse4_1: 19, sse4_2: 20, x2apic: 21 },
  ...{ movbe: 22, popcnt: 23, tsc_deadline_timer: 24, aes: 25, xsave: 26, avx: 28, f16c: 29, rdrand: 30 },
  hypervisor: 31,
};
const extendedEdx: Bits = {
  ...{ syscall: 11, mp: 19, nx: 20, mmxext: 22, fxsr_opt: 25, pdpe1gb: 26, rdtscp: 27, lm: 29, '3dnowext': 30 },
  '3dnow': 31,
};
const extendedEcx: Bits = {
  ...{ lahf_lm: 0, cmp_legacy: 1, svm: 2, extapic: 3, cr8_legacy: 4, abm: 5, sse4a: 6, misalignsse: 7 },
  ...{ '3dnowprefetch': 8, osvw: 9, ibs: 10, xop: 11, skinit: 12, wdt: 13, lwp: 15, fma4: 16, tce: 17, tbm: 21 },
  topoext: 22,
};

const UNKNOWN = Array.from({ length: 8 }, () => '----').join(':');

/** `flags` as in /proc/cpuinfo. */
export function cpuFeatures(flags: ReadonlySet<string>, vendor: string): HostCpuIdInfo[] {
  return [
    make('HostCpuIdInfo', {
      level: 1,
      vendor,
      eax: UNKNOWN,
      ebx: UNKNOWN,
      ecx: register(flags, basicEcx),
      edx: register(flags, basicEdx),
    }),
    make('HostCpuIdInfo', {
      // 0x80000001 as a signed 32-bit number, which is what the schema's int can hold.
      level: -2147483647,
      vendor,
      eax: UNKNOWN,
      ebx: UNKNOWN,
      ecx: register(flags, extendedEcx),
      edx: register(flags, extendedEdx),
    }),
  ];
}

/** The bits from 31 down to 0 in groups of four, as ESXi writes them: `0000:0111:…`. */
function register(flags: ReadonlySet<string>, bits: Bits): string {
  const set = new Set(Object.entries(bits).flatMap(([flag, bit]) => (flags.has(flag) ? [bit] : [])));
  const groups = Array.from({ length: 8 }, (_, group) =>
    Array.from({ length: 4 }, (_unused, index) => (set.has(31 - group * 4 - index) ? '1' : '0')).join(''),
  );
  return groups.join(':');
}
