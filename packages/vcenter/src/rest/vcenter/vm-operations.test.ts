import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MethodFault } from '@vivarium/vim';
import { smallCenter } from '../../testing/small-center.ts';
import { DB, WEB } from '../../testing/small-inventory.ts';

void test('a virtual machine is told whole; maps are objects below /api and lists below /rest', async (context) => {
  const { send } = await smallCenter(context);
  const { body } = await send('GET', '/api/vcenter/vm/vm-31');
  const info = body as Record<string, Record<string, Record<string, unknown>>>;
  const { disks, nics, cdroms, floppies, serial_ports, scsi_adapters, ...rest } = info;
  assert.deepEqual(rest, {
    guest_OS: 'DEBIAN_12_64',
    name: 'web',
    identity: {
      name: 'web',
      bios_uuid: '564d0000-0000-4000-8000-000000000001',
      instance_uuid: '502d0000-0000-4000-8000-000000000001',
    },
    power_state: 'POWERED_ON',
    hardware: { version: 'VMX_21', upgrade_policy: 'NEVER', upgrade_status: 'NONE' },
    boot: {
      type: 'EFI',
      efi_legacy_boot: false,
      network_protocol: 'IPV4',
      delay: 0,
      retry: false,
      retry_delay: 10_000,
      enter_setup_mode: false,
    },
    boot_devices: [],
    cpu: { count: 2, cores_per_socket: 1, hot_add_enabled: true, hot_remove_enabled: false },
    memory: { size_MiB: 512, hot_add_enabled: false },
    parallel_ports: {},
    sata_adapters: { '15000': { label: 'SATA controller 0', type: 'AHCI', bus: 0 } },
    nvme_adapters: { '31000': { label: 'NVME controller 0', bus: 0 } },
  });
  const disk = {
    label: 'Hard disk 1',
    type: 'SCSI',
    scsi: { bus: 0, unit: 0 },
    backing: { type: 'VMDK_FILE', vmdk_file: '[LocalDS_0] web/web.vmdk' },
    capacity: 1_073_741_824,
  };
  assert.deepEqual(disks, { '2000': disk });
  assert.deepEqual(nics, {
    '4000': {
      label: 'Network adapter 1',
      type: 'VMXNET3',
      mac_type: 'ASSIGNED',
      mac_address: '00:50:56:00:00:01',
      wake_on_lan_enabled: true,
      backing: { type: 'STANDARD_PORTGROUP', network: 'network-13', network_name: 'VM Network' },
      state: 'CONNECTED',
      start_connected: true,
      allow_guest_control: true,
    },
  });
  assert.deepEqual(cdroms?.['3000'], {
    type: 'IDE',
    label: 'CD/DVD drive 1',
    ide: { primary: true, master: true },
    backing: { type: 'ISO_FILE', iso_file: '[LocalDS_0] a.iso' },
    state: 'NOT_CONNECTED',
    start_connected: true,
    allow_guest_control: true,
  });
  assert.deepEqual(floppies?.['8000']?.['backing'], { type: 'CLIENT_DEVICE' });
  assert.deepEqual(serial_ports?.['9000']?.['backing'], { type: 'NETWORK_SERVER', network_location: 'telnet://:2001' });
  assert.deepEqual(scsi_adapters, {
    '1000': {
      label: 'SCSI controller 0',
      type: 'PVSCSI',
      scsi: { bus: 0, unit: 7 },
      pci_slot_number: 160,
      sharing: 'NONE',
    },
  });
  const wrapped = (await send('GET', '/rest/vcenter/vm/vm-31')).body as { value: { disks: unknown } };
  assert.deepEqual(wrapped.value.disks, [{ key: '2000', value: disk }]);
});

void test('power operations wait for their tasks, and say what vCenter says when they cannot be', async (context) => {
  const { send, service } = await smallCenter(context);
  const power = async (vm: string) => (await send('GET', `/api/vcenter/vm/${vm}/power`)).body;
  assert.deepEqual(await power('vm-32'), { state: 'POWERED_OFF' });
  assert.equal((await send('POST', '/rest/vcenter/vm/vm-32/power/start')).status, 200);
  assert.deepEqual(await power('vm-32'), { state: 'POWERED_ON' });
  const again = await send('POST', '/rest/vcenter/vm/vm-32/power/start');
  assert.equal(again.status, 400);
  assert.deepEqual(again.body, {
    type: 'com.vmware.vapi.std.errors.already_in_desired_state',
    value: {
      error_type: 'ALREADY_IN_DESIRED_STATE',
      messages: [
        {
          id: 'com.vmware.api.vcenter.vm.power.already_powered_on',
          default_message: 'Virtual machine is already powered on.',
          args: [],
        },
        {
          id: 'vmsg.InvalidPowerState.summary',
          default_message: 'The attempted operation cannot be performed in the current state (Powered on).',
          args: [],
        },
      ],
    },
  });
  for (const [action, state] of [
    ['reset', 'POWERED_ON'],
    ['suspend', 'SUSPENDED'],
    ['stop', 'POWERED_OFF'],
  ]) {
    assert.equal((await send('POST', `/api/vcenter/vm/vm-32/power?action=${action}`)).status, 204, action);
    assert.deepEqual(await power('vm-32'), { state });
  }
  const off = await send('POST', '/api/vcenter/vm/vm-32/power?action=suspend');
  assert.match(off.text, /NOT_ALLOWED_IN_CURRENT_STATE/);
  const names = service.tasks.recent().map((ref) => service.graph.get(ref).get('info')?.reason);
  assert.ok(names.length >= 5, 'they are tasks as any other');
});

void test('a failed task is the error that its fault is', async (context) => {
  const { send, service } = await smallCenter(context);
  for (const [fault, status, type] of [
    [new MethodFault('TaskInProgress', { task: WEB as never }), 500, 'RESOURCE_BUSY'],
    [new MethodFault('InsufficientMemoryResourcesFault', { unreserved: 1, requested: 2 }), 400, 'UNABLE_TO_ALLOCATE'],
    [new MethodFault('HostNotConnected'), 503, 'SERVICE_UNAVAILABLE'],
    [new MethodFault('FileLocked', { file: 'a' }), 400, 'RESOURCE_IN_USE'],
    [new MethodFault('VmConfigFault'), 500, 'ERROR'],
  ] as const) {
    Object.assign(service.graph.get(DB), {
      method: () => () =>
        service.tasks.start({ entity: DB, descriptionId: 'VirtualMachine.powerOn' }, () => Promise.reject(fault)),
    });
    const answer = await send('POST', '/api/vcenter/vm/vm-32/power?action=start');
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, new RegExp(type));
  }
});

void test('guests are asked to shut down, and tell of themselves while they run', async (context) => {
  const { send } = await smallCenter(context);
  assert.deepEqual((await send('GET', '/api/vcenter/vm/vm-31/guest/power')).body, {
    state: 'RUNNING',
    operations_ready: true,
  });
  assert.deepEqual((await send('GET', '/api/vcenter/vm/vm-31/guest/identity')).body, {
    name: 'DEBIAN_12_64',
    family: 'LINUX',
    full_name: {
      id: 'vmsg.guestos.debian12_64Guest.label',
      default_message: 'Debian GNU/Linux 12 (64-bit)',
      args: [],
    },
    host_name: 'web',
    ip_address: '192.0.2.10',
  });
  assert.deepEqual((await send('GET', '/api/vcenter/vm/vm-31/tools')).body, {
    auto_update_supported: false,
    upgrade_policy: 'MANUAL',
    version_status: 'UNMANAGED',
    run_state: 'RUNNING',
  });
  assert.equal((await send('POST', '/rest/vcenter/vm/vm-31/guest/power?action=shutdown')).status, 200);
  assert.deepEqual((await send('GET', '/rest/vcenter/vm/vm-31/guest/power')).body, {
    value: { state: 'NOT_RUNNING', operations_ready: false },
  });
  const silent = await send('GET', '/api/vcenter/vm/vm-31/guest/identity');
  assert.equal(silent.status, 503);
  assert.match(silent.text, /information_not_available/);
  const deaf = await send('POST', '/api/vcenter/vm/vm-31/guest/power?action=shutdown');
  assert.equal(deaf.status, 503);
  const unbuilt = await send('POST', '/api/vcenter/vm/vm-31/guest/power?action=standby');
  assert.match(unbuilt.text, /UNSUPPORTED/);
});

void test('a virtual machine is deleted when it is off', async (context) => {
  const { send, service } = await smallCenter(context);
  const running = await send('DELETE', '/api/vcenter/vm/vm-31');
  assert.equal(running.status, 400);
  assert.match(running.text, /NOT_ALLOWED_IN_CURRENT_STATE/);
  assert.equal((await send('DELETE', '/api/vcenter/vm/vm-32')).status, 204);
  assert.equal(service.graph.find(DB), undefined);
  service.graph.get(WEB).set('config', undefined);
  const inaccessible = await send('GET', '/api/vcenter/vm/vm-31');
  assert.equal(inaccessible.status, 400);
  assert.match(inaccessible.text, /RESOURCE_INACCESSIBLE/);
});
