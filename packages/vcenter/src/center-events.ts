// vCenter's own events: of its connections to hosts, and of VMs that came, went and moved without vCenter.
import { type MoRef, make } from '@vivarium/vim';
import type { Service } from '@vivarium/vmomi';
import type { MirrorEvents } from './host-sync/host-mirror.ts';
import type { ConnectionState } from './hosts/host-session.ts';

export function mirrorEvents(service: Service): MirrorEvents {
  const { events, graph } = service;
  const nameOf = (ref: MoRef) => String(graph.find(ref)?.getPath('name') ?? '');
  const vmArgument = (vm: MoRef<'VirtualMachine'>) => make('VmEventArgument', { name: nameOf(vm as MoRef), vm });
  return {
    vmCreated: (vm) => void events.post({ _typeName: 'VmCreatedEvent', vm: vmArgument(vm), template: false }),
    vmRegistered: (vm) => void events.post({ _typeName: 'VmRegisteredEvent', vm: vmArgument(vm), template: false }),
    vmDiscovered: (vm) => void events.post({ _typeName: 'VmDiscoveredEvent', vm: vmArgument(vm), template: false }),
    vmRemoved: (vm, name) =>
      void events.post({ _typeName: 'VmRemovedEvent', vm: make('VmEventArgument', { name, vm }), template: false }),
    vmRenamed: (vm, oldName, newName) =>
      void events.post({ _typeName: 'VmRenamedEvent', vm: vmArgument(vm), oldName, newName, template: false }),
    vmUuidConflict: (vm, other, instanceUuid) =>
      void events.post({
        _typeName: 'VmInstanceUuidConflictEvent',
        vm: vmArgument(vm),
        template: false,
        conflictedVm: vmArgument(other),
        instanceUuid,
      }),
    vmUuidChanged: (vm, oldInstanceUuid, newInstanceUuid) =>
      void events.post({
        _typeName: 'VmInstanceUuidChangedEvent',
        vm: vmArgument(vm),
        template: false,
        oldInstanceUuid,
        newInstanceUuid,
      }),
    vmRelocated: (vm, from) =>
      void events.post({
        _typeName: 'VmRelocatedEvent',
        vm: vmArgument(vm),
        template: false,
        sourceHost: make('HostEventArgument', { name: nameOf(from as MoRef), host: from }),
      }),
  };
}

/** `isAsked`: an administrator wants it disconnected. */
export function connectionEvent(
  { events, graph }: Service,
  host: MoRef<'HostSystem'>,
  { state, former, isAsked }: { state: ConnectionState; former: ConnectionState; isAsked: boolean },
): void {
  const about = { host: hostArgument(graph, host) };
  if (state === 'connected') events.post({ _typeName: 'HostConnectedEvent', ...about });
  if (state === 'notResponding' && former === 'connected') {
    events.post({ _typeName: 'HostConnectionLostEvent', ...about });
  }
  if (state === 'disconnected' && former !== 'connecting' && isAsked) {
    events.post({ _typeName: 'HostDisconnectedEvent', ...about, reason: 'userRequest' });
  }
}

/** Another vCenter has taken the host. */
export function hostTakenEvent({ events, graph }: Service, host: MoRef<'HostSystem'>, serverName: string): void {
  events.post({ _typeName: 'HostCnxFailedAlreadyManagedEvent', host: hostArgument(graph, host), serverName });
}

function hostArgument(graph: Service['graph'], host: MoRef<'HostSystem'>) {
  return make('HostEventArgument', { name: String(graph.find(host)?.get('name') ?? ''), host });
}
