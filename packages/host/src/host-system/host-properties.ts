// HostSystem's properties from the facts of the machine. Pure.
import {
  type AboutInfo,
  type HostConfigManager,
  type HostHardwareInfo,
  type HostListSummary,
  type HostRuntimeInfo,
  make,
  moRef,
} from '@vivarium/vim';
import { CERTIFICATE_MANAGER } from '../certificate-manager/certificate-manager.ts';
import { refs } from '../inventory/refs.ts';
import { cpuFeatures } from './cpu-features.ts';
import type { MachineFacts } from './machine-facts.ts';

export interface HostView {
  readonly name: string;
  readonly port: number;
  readonly facts: MachineFacts;
  readonly about: AboutInfo;
  /** dateTime. */
  readonly bootTime: string;
  readonly nics: number;
  readonly usage: { readonly cpuMhz: number; readonly memoryMB: number; readonly uptimeSeconds: number };
  readonly inMaintenanceMode?: boolean;
  /** Of the vCenter that manages the host. */
  readonly managementServerIp?: string | undefined;
}

export function hostRuntime(view: HostView): HostRuntimeInfo {
  return make('HostRuntimeInfo', {
    connectionState: 'connected',
    powerState: 'poweredOn',
    standbyMode: 'none',
    inMaintenanceMode: view.inMaintenanceMode ?? false,
    inQuarantineMode: false,
    bootTime: view.bootTime,
    hostMaxVirtualDiskCapacity: 62 * 2 ** 40,
    cryptoState: 'incapable',
  });
}

export function hostSummary(view: HostView): HostListSummary {
  const { facts } = view;
  return make('HostListSummary', {
    host: refs.host,
    hardware: make('HostHardwareSummary', {
      vendor: facts.vendor,
      model: facts.model,
      uuid: facts.uuid,
      memorySize: facts.memoryBytes,
      cpuModel: facts.cpuModel,
      cpuMhz: facts.cpuMhz,
      numCpuPkgs: facts.packages.length,
      numCpuCores: facts.cores,
      numCpuThreads: facts.threads,
      numNics: view.nics,
      numHBAs: 0,
    }),
    runtime: hostRuntime(view),
    config: make('HostConfigSummary', {
      name: view.name,
      port: view.port,
      product: view.about,
      vmotionEnabled: false,
      faultToleranceEnabled: false,
    }),
    quickStats: make('HostListSummaryQuickStats', {
      overallCpuUsage: view.usage.cpuMhz,
      overallMemoryUsage: view.usage.memoryMB,
      uptime: view.usage.uptimeSeconds,
    }),
    overallStatus: 'green',
    rebootRequired: false,
    managementServerIp: view.managementServerIp,
    maxEVCModeKey: undefined,
  });
}

export function hostHardware({ facts }: HostView): HostHardwareInfo {
  const hz = facts.cpuMhz * 1e6;
  return make('HostHardwareInfo', {
    systemInfo: make('HostSystemInfo', {
      vendor: facts.vendor,
      model: facts.model,
      uuid: facts.uuid,
      serialNumber: facts.serialNumber,
      otherIdentifyingInfo: [
        make('HostSystemIdentificationInfo', {
          identifierValue: facts.serialNumber,
          identifierType: make('ElementDescription', {
            label: 'Service tag',
            summary: 'Service tag of the system',
            key: 'ServiceTag',
          }),
        }),
      ],
    }),
    cpuInfo: make('HostCpuInfo', {
      numCpuPackages: facts.packages.length,
      numCpuCores: facts.cores,
      numCpuThreads: facts.threads,
      hz,
    }),
    cpuPkg: facts.packages.map(({ index, threads }) =>
      make('HostCpuPackage', {
        index,
        vendor: facts.cpuVendor,
        hz,
        busHz: 0,
        description: facts.cpuModel,
        threadId: [...threads],
      }),
    ),
    cpuFeature: cpuFeatures(facts.cpuFlags, facts.cpuVendor),
    memorySize: facts.memoryBytes,
    numaInfo: make('HostNumaInfo', { type: 'None', numNodes: 0 }),
    smcPresent: false,
    biosInfo: make('HostBIOSInfo', { biosVersion: facts.biosVersion, vendor: facts.vendor }),
  });
}

export const ADVANCED_OPTIONS = moRef('OptionManager', 'ha-adv-options');

/** Only the managers that exist here are named. */
export const configManager: HostConfigManager = make('HostConfigManager', {
  datastoreSystem: moRef('HostDatastoreSystem', 'ha-datastoresystem'),
  networkSystem: moRef('HostNetworkSystem', 'ha-networksystem'),
  advancedOption: ADVANCED_OPTIONS,
  autoStartManager: moRef('HostAutoStartManager', 'ha-autostart-mgr'),
  certificateManager: CERTIFICATE_MANAGER,
});
