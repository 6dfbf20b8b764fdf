import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Event, make } from '@vivarium/vim';
import { eventDescription, formatEvent } from './event-text.ts';

const common = { key: 1, chainId: 1, createdTime: '', userName: '' };
const vm = make('VmEventArgument', { name: 'web', vm: { type: 'VirtualMachine', value: 'vm-1' } });
const host = make('HostEventArgument', { name: 'esx1', host: { type: 'HostSystem', value: 'host-1' } });
const datacenter = make('DatacenterEventArgument', { name: 'DC', datacenter: { type: 'Datacenter', value: 'dc-1' } });

test('events are worded as vSphere words them', () => {
  const said = (event: object) => formatEvent({ ...common, ...event } as Event);
  const about = { vm, host, datacenter };
  for (const [event, words] of [
    [{ _typeName: 'VmPoweredOnEvent', ...about }, 'web on esx1 in DC is powered on'],
    [{ _typeName: 'VmStartingEvent', ...about }, 'web on host esx1 in DC is starting'],
    [{ _typeName: 'VmCreatedEvent', ...about }, 'Created virtual machine web on esx1 in DC'],
    [{ _typeName: 'VmGuestShutdownEvent', ...about }, 'Guest OS shut down for web on esx1 in DC'],
    [{ _typeName: 'BadUsernameSessionEvent', userName: 'me', ipAddress: '10.0.0.1' }, 'Cannot login me@10.0.0.1'],
    [
      { _typeName: 'HostDisconnectedEvent', host, datacenter, reason: 'userRequest' },
      'Disconnected from esx1 in DC. Reason: User request',
    ],
    [
      {
        _typeName: 'PermissionAddedEvent',
        principal: 'VIVARIUM.LOCAL\\ops',
        entity: { name: 'DC' },
        role: { name: 'Admin' },
        propagate: true,
      },
      'Permission created for VIVARIUM.LOCAL\\ops on DC, role is Admin, propagation is Enabled',
    ],
  ] as const) {
    assert.equal(said(event), words);
  }
});

test('places that are not known leave no gap', () => {
  const about = (more: object) => ({ ...common, vm, template: false, ...more }) as unknown as Event;
  assert.equal(formatEvent(about({ _typeName: 'VmStartingEvent', host })), 'web on host esx1 is starting');
  assert.equal(formatEvent(about({ _typeName: 'VmStartingEvent' })), 'web is starting');
  const pool = { ...common, _typeName: 'ResourcePoolDestroyedEvent', resourcePool: { name: 'gold' } };
  assert.equal(formatEvent(pool as unknown as Event), 'Removed resource pool gold');
});

test('the description drops from each template the place that it is for', () => {
  const info = eventDescription().eventInfo.find(({ key }) => key === 'VmPoweredOnEvent');
  assert.equal(info?.fullFormat, '{vm.name} on {host.name} in {datacenter.name} is powered on');
  assert.equal(info?.formatOnDatacenter, '{vm.name} on {host.name} is powered on');
  assert.equal(info?.formatOnHost, '{vm.name} is powered on');
});
