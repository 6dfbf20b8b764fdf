// HostSystem's properties from the facts of the machine. Pure.
import {
  type AboutInfo,
  type HostConfigManager,
  type HostListSummary,
  type HostRuntimeInfo,
  make,
  moRef,
} from '@vivarium/vim';
import { AUTO_START_MANAGER } from '../auto-start-manager/auto-start-manager.ts';
import { CERTIFICATE_MANAGER } from '../certificate-manager/certificate-manager.ts';
import { DATE_TIME_SYSTEM } from '../date-time-system/date-time-system.ts';
import { FIREWALL_SYSTEM } from '../firewall-system/firewall-system.ts';
import { refs } from '../inventory/refs.ts';
import type { MachineDetails } from '../machine/machine-details.ts';
import { SERVICE_SYSTEM } from '../service-system/service-system.ts';
import { STORAGE_SYSTEM } from '../storage-system/storage-system.ts';
import { VIRTUAL_NIC_MANAGER } from '../virtual-nic-manager/virtual-nic-manager.ts';
import { identifyingInfo } from './hardware-info.ts';
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
  readonly details?: MachineDetails;
  /** Adapters of storage. */
  readonly hbas?: number;
  /** SHA-1 of the host's certificate. */
  readonly sslThumbprint?: string;
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
      otherIdentifyingInfo: identifyingInfo(facts),
      memorySize: facts.memoryBytes,
      cpuModel: facts.cpuModel,
      cpuMhz: facts.cpuMhz,
      numCpuPkgs: facts.packages.length,
      numCpuCores: facts.cores,
      numCpuThreads: facts.threads,
      numNics: view.nics,
      numHBAs: view.hbas ?? 0,
    }),
    runtime: hostRuntime(view),
    config: make('HostConfigSummary', {
      name: view.name,
      port: view.port,
      sslThumbprint: view.sslThumbprint,
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

export const ADVANCED_OPTIONS = moRef('OptionManager', 'ha-adv-options');

/** Only the managers that exist here are named. */
export const configManager: HostConfigManager = make('HostConfigManager', {
  datastoreSystem: moRef('HostDatastoreSystem', 'ha-datastoresystem'),
  networkSystem: moRef('HostNetworkSystem', 'ha-networksystem'),
  advancedOption: ADVANCED_OPTIONS,
  storageSystem: STORAGE_SYSTEM,
  virtualNicManager: VIRTUAL_NIC_MANAGER,
  serviceSystem: SERVICE_SYSTEM,
  firewallSystem: FIREWALL_SYSTEM,
  dateTimeSystem: DATE_TIME_SYSTEM,
  autoStartManager: AUTO_START_MANAGER,
  certificateManager: CERTIFICATE_MANAGER,
  licenseManager: moRef('LicenseManager', 'ha-license-manager'),
  userDirectory: moRef('UserDirectory', 'ha-user-directory'),
  accountManager: moRef('HostLocalAccountManager', 'ha-localacctmgr'),
});
