// A distributed switch over two hosts that a physical network joins: guests of one port group reach each other over the hosts' uplinks,
// others do not; a link that is lost is seen; a host whose hostd is dead goes on.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useGovc, withoutGovc } from '../govc/use-govc.ts';
import { type LabCenter, startLabCenter } from '../testing/lab-center.ts';
import { createGuestVm, guestShell, powerOn, runInGuest, type VmRef } from '../testing/lab-vm.ts';
import { makePhysicalNetwork, type PhysicalNetwork } from '../testing/physical-network.ts';
import { run } from '../testing/run.ts';
import { needsRoot } from '../testing/use-lab-host.ts';
import { useStarted } from '../testing/use-started.ts';
import { waitFor } from '../testing/wait-for.ts';

const HOSTS = ['esx1', 'esx2'] as const;
const GUESTS = [
  { host: 'esx1', name: 'left', mac: '00:50:56:3a:00:01', address: '198.51.100.1' },
  { host: 'esx2', name: 'right', mac: '00:50:56:3a:00:02', address: '198.51.100.2' },
] as const;

const BOOT_MS = 180_000;

describe('hosts with physical uplinks', { skip: needsRoot || withoutGovc }, () => {
  const world = useStarted(startWorld, 'vCenter', 'vpxd');
  const lab = () => world().lab;
  const govc = useGovc(lab);
  const pnics = (host: string) =>
    govc.json<{ device: string; linkSpeed?: object }[]>(
      'object.collect',
      '-s',
      `/DC/host/Cluster/${host}.localhost`,
      'config.network.pnic',
    );
  /** Addresses of the guests on networks of their hosts, where they take commands. */
  const shells = new Map<string, string>();
  const reaches = async (name: 'left' | 'right') => {
    const other = GUESTS.find((guest) => guest.name !== name) ?? assert.fail();
    const said = await runInGuest(shells.get(name) ?? '', `ping -c 1 -W 2 ${other.address} || true`);
    return /1 packets received/.test(said);
  };

  test('each host has the adapter that it was given, and the machine’s own are nobody’s', async () => {
    for (const host of HOSTS) {
      assert.deepEqual(
        (await pnics(host)).map(({ device, linkSpeed }) => [device, linkSpeed !== undefined]),
        [['vmnic0', true]],
      );
    }
  });

  test('a distributed switch gets hosts with their physical NICs, which no other switch can have', async () => {
    await govc('dvs.create', 'DVS0');
    await govc('dvs.add', '-pnic', 'vmnic0', '-dvs', 'DVS0', ...HOSTS.map((host) => `${host}.localhost`));
    for (const [name, vlan] of [['web', '20'] as const, ['other', '30'] as const]) {
      await govc('dvs.portgroup.add', '-dvs', 'DVS0', '-type', 'earlyBinding', '-nports', '8', '-vlan', vlan, name);
    }
    const second = ['host.vswitch.add', '-host', 'esx1.localhost', '-nic', 'vmnic0', 'vSwitch1'];
    await govc.refused(/vmnic0 is an uplink of the switch/, ...second);
    await govc.refused(/no physical NIC 'vmnic7'/, ...second.with(4, 'vmnic7'));
  });

  test('guests of one port group reach each other from host to host', async () => {
    await govc('vm.power', '-off', 'demo'); // emulated guests take all the processor that they can get
    for (const guest of GUESTS) shells.set(guest.name, await bringUpGuest(lab(), guest, govc));
    await waitFor('the guests to reach each other', () => reaches('left'));
    assert.ok(await reaches('right'));
  });

  test('a guest on another VLAN is not reached', async () => {
    await govc('vm.network.change', '-vm', 'right', '-net', 'other', 'ethernet-1');
    await waitFor('the guests to be apart', async () => !(await reaches('left')));
    assert.equal(await reaches('right'), false);
    await govc('vm.network.change', '-vm', 'right', '-net', 'web', 'ethernet-1');
    await waitFor('the guests to be together', () => reaches('left'));
  });

  test('a cable that is pulled is seen and told, and works again when it is back', async () => {
    const [device = ''] = world().network.devices;
    const hasLink = async () => (await pnics('esx1'))[0]?.linkSpeed !== undefined;
    await world().network.setLink(device, 'down');
    await waitFor('the link to be lost', async () => !(await hasLink()));
    assert.equal(await reaches('left'), false);
    await world().network.setLink(device, 'up');
    await waitFor('the link to be back', hasLink);
    await waitFor('the guests to reach each other', () => reaches('left'));
    const events = await govc('events', '-n', '100', '/DC/host/Cluster/esx1.localhost');
    for (const told of [/Physical NIC vmnic0 link is down/, /Lost network connectivity/, /connectivity restored/]) {
      assert.match(events, told);
    }
  });

  test('a dead hostd leaves its guests their network, and the next one finds it', async () => {
    await lab().kill('esx1');
    assert.ok(await reaches('left'));
    assert.ok(await reaches('right'));
    await lab().up();
    await waitFor('esx1 to answer', async () => (await pnics('esx1'))[0]?.linkSpeed !== undefined);
    assert.ok(await reaches('left'));
    await govc('dvs.portgroup.change', '-vlan', '21', 'web');
    await waitFor('the guests to reach each other in another VLAN', () => reaches('left'));
  });

  test('an adapter is the machine’s again when its switch is gone, and when everything is down', async () => {
    const [first = '', second = ''] = world().network.devices;
    const isOfMachine = async (device: string) => (await run('ip', ['link', 'show', device])).code === 0;
    assert.deepEqual([await isOfMachine(first), await isOfMachine(second)], [false, false]);
    await govc('vm.destroy', 'left', 'right');
    await govc('object.destroy', '/DC/network/DVS0');
    assert.ok(await isOfMachine(first));
    await govc('host.vswitch.add', '-host', 'esx2.localhost', '-nic', 'vmnic0', 'vSwitch1');
    assert.equal(await isOfMachine(second), false);
    await lab().viv('down');
    assert.ok(await isOfMachine(second));
  });
});

interface World extends AsyncDisposable {
  readonly network: PhysicalNetwork;
  readonly lab: LabCenter;
  log(): Promise<string>;
}

async function startWorld(): Promise<World> {
  await using undo = new AsyncDisposableStack();
  const network = undo.use(await makePhysicalNetwork(HOSTS.length));
  const uplinks = HOSTS.flatMap((host, index) => ['--uplink', `${host}=${network.devices[index]}`]);
  const lab = undo.use(await startLabCenter(HOSTS.length, uplinks));
  const all = undo.move();
  return { network, lab, log: () => lab.log(), [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** A guest with a card on the host's own network, for commands, and one on the port group `web`. Returns its address on the first. */
async function bringUpGuest(
  lab: LabCenter,
  guest: (typeof GUESTS)[number],
  govc: ReturnType<typeof useGovc>,
): Promise<string> {
  await using client = await lab.connectToHost(guest.host);
  const network = [{ macAddress: guest.mac, addresses: [`${guest.address}/24`] }];
  const vm: VmRef = await createGuestVm(client, guest.name, { seed: { network } });
  await waitFor('vCenter to know the VM', async () => (await govc('find', '/DC', '-type', 'm')).includes(guest.name));
  const add = ['-vm', guest.name, '-net', 'web', '-net.adapter', 'vmxnet3', '-net.address', guest.mac];
  await govc('vm.network.add', ...add);
  await powerOn(client, vm);
  const findAddress = async () => {
    const nics = (await client.get(vm, 'guest'))?.net ?? [];
    return nics.flatMap(({ ipAddress = [] }) => ipAddress).find((one) => one.startsWith('10.'));
  };
  const address = await waitFor('the address for commands', findAddress, BOOT_MS);
  await guestShell(address);
  return address;
}
