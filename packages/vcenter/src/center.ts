// What the methods of vCenter's objects work with: made once, in vpxd.ts. Each method takes of it what it needs.
import type { Clock, Logger } from '@vivarium/base';
import type { Service } from '@vivarium/vmomi';
import type { Imports } from './appliance-import/imports.ts';
import type { HostSwitches } from './distributed-switch/host-switches.ts';
import type { HostDialer } from './host-link/host-link.ts';
import type { ExpectedVms } from './host-sync/expected-vms.ts';
import type { SharedIndex } from './host-sync/shared-index.ts';
import type { SharedObjects } from './host-sync/shared-objects.ts';
import type { VmIndex } from './host-sync/vm-index.ts';
import type { Hosts } from './hosts/hosts.ts';
import type { Inventory } from './inventory/inventory.ts';
import type { MemberLists } from './inventory/member-lists.ts';
import type { ComputePools } from './resource-pool/compute-pools.ts';
import type { Forwarder } from './routing/forwarder.ts';
import type { AppOperations } from './virtual-app/app-operations.ts';

export interface Center {
  readonly clock: Clock;
  readonly log: Logger;
  readonly service: Service;
  readonly inventory: Inventory;
  readonly lists: MemberLists;
  readonly hosts: Hosts;
  readonly vms: VmIndex;
  readonly shared: SharedObjects;
  readonly index: SharedIndex;
  readonly expected: ExpectedVms;
  readonly pools: ComputePools;
  readonly apps: AppOperations;
  readonly imports: Imports;
  readonly switches: HostSwitches;
  readonly dialer: HostDialer;
  readonly forwarder: Forwarder;
  /** A new random UUID. */
  readonly newUuid: () => string;
}
