import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSeedIso } from './create-seed-iso.ts';
import { bootTestMachine, findTestAssets, type TestMachine } from './test-machine.ts';

const found = await findTestAssets();
const skip = found === undefined ? 'no runtime or demo guest on this machine' : false;
const hasSsh = existsSync('/usr/bin/ssh-keygen') && existsSync('/usr/bin/ssh');
const assets = () => found ?? assert.fail('skipped');

const MACHINES: Readonly<Record<string, { disk: string[]; nic: string; machine?: string }>> = {
  'pvscsi and vmxnet3': { disk: ['pvscsi,id=c', 'scsi-hd,bus=c.0,drive=disk0'], nic: 'vmxnet3' },
  'virtio-blk and virtio-net': { disk: ['virtio-blk-pci,drive=disk0'], nic: 'virtio-net-pci' },
  'virtio-scsi and e1000e': { disk: ['virtio-scsi-pci,id=c', 'scsi-hd,bus=c.0,drive=disk0'], nic: 'e1000e' },
  // The guest's driver passes over disks that have no SAS address, which is QEMU's `wwn`.
  'mptsas1068 and e1000': {
    disk: ['mptsas1068,id=c', 'scsi-hd,bus=c.0,drive=disk0,wwn=0x5000c50015ea71ac'],
    nic: 'e1000',
  },
  'lsi53c895a and pcnet': { disk: ['lsi53c895a,id=c', 'scsi-hd,bus=c.0,drive=disk0'], nic: 'pcnet' },
  'AHCI and e1000e': { disk: ['ich9-ahci,id=c', 'ide-hd,bus=c.0,drive=disk0'], nic: 'e1000e' },
  'IDE on the old PC and e1000': { disk: ['ide-hd,bus=ide.0,drive=disk0'], nic: 'e1000', machine: 'pc' },
  'NVMe and vmxnet3': { disk: ['nvme,serial=1,drive=disk0'], nic: 'vmxnet3' },
};

const userNet = (nic: string, forward = '') => ['-netdev', `user,id=n${forward}`, '-device', `${nic},netdev=n`];
const device = (names: readonly string[]) => names.flatMap((name) => ['-device', name]);

async function bootedWithAddress(machine: TestMachine): Promise<number> {
  await machine.expect(/SYSLINUX/);
  await machine.expect(/vivarium-demo login ready/);
  const ready = machine.elapsed();
  // The address comes before or after the login, as the network is.
  const deadline = machine.elapsed() + 20_000;
  while (!machine.serial().includes('IP address: 10.0.2.15')) {
    assert.ok(machine.elapsed() < deadline, `no address: ${machine.serial().slice(-500)}`);
    await machine.agent('guest-ping');
  }
  return ready;
}

/** What is typed before the prompt is thrown away by getty. */
async function logIn(machine: TestMachine): Promise<void> {
  await machine.expect(/vivarium-demo login: /);
  machine.type('root\n');
  await machine.expect(/# /);
}

for (const [name, { disk, nic, machine: type }] of Object.entries(MACHINES)) {
  void test(`boots from its own disk with ${name}`, { skip }, async (context) => {
    await using machine = await bootTestMachine(assets(), [...device(disk), ...userNet(nic)], {
      ...(type === undefined ? {} : { machine: type }),
    });
    context.diagnostic(`login ready after ${Math.round(await bootedWithAddress(machine))} ms`);
    await logIn(machine);
    machine.type('mount | grep -c "/data type ext4"; echo mar""ker\n');
    assert.equal((await machine.expect(/\n(\d+)\r?\nmarker/))[1], '1');
  });
}

void test('boots by UEFI, also with Secure Boot', { skip }, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'viv-efi-'));
  context.after(() => rm(folder, { recursive: true }));
  const nvram = join(folder, 'nvram');
  const ovmf = join(assets().runtime.path, 'usr/share/OVMF');
  await copyFile(join(ovmf, 'OVMF_VARS_4M.ms.fd'), nvram);
  const firmware = [
    ...['-global', 'driver=cfi.pflash01,property=secure,value=on'],
    ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${join(ovmf, 'OVMF_CODE_4M.secboot.fd')}`],
    ...['-drive', `if=pflash,unit=1,format=raw,file=${nvram}`],
  ];
  const devices = device(['virtio-blk-pci,drive=disk0', 'VGA']);
  await using machine = await bootTestMachine(assets(), devices, { firmware, machine: 'q35,smm=on', memoryMB: 512 });
  await machine.expect(/vivarium-demo login ready/, 120_000);
  context.diagnostic(`login ready after ${Math.round(machine.elapsed())} ms`);
  await logIn(machine);
  machine.type('dmesg | grep -c "Secure boot enabled"; echo mar""ker\n');
  assert.equal((await machine.expect(/\n(\d+)\r?\nmarker/))[1], '1');
});

void test('the guest agent tells addresses, name and system, and shuts down in order', { skip }, async () => {
  const { disk } = MACHINES['pvscsi and vmxnet3'] ?? assert.fail();
  await using machine = await bootTestMachine(assets(), [...device(disk), ...userNet('vmxnet3')]);
  await bootedWithAddress(machine);
  assert.deepEqual(await machine.agent('guest-get-host-name'), { 'host-name': 'vivarium-demo' });
  assert.match(JSON.stringify(await machine.agent('guest-network-get-interfaces')), /"10\.0\.2\.15"/);
  assert.match(JSON.stringify(await machine.agent('guest-get-osinfo')), /Vivarium demo guest/);
  void machine.agent('guest-shutdown', { mode: 'powerdown' }).catch(() => undefined); // it does not answer
  assert.equal(await machine.ended, 0);
  assert.match(machine.serial(), /vivarium-demo: stopping/);
});

void test('the power button ends it cleanly, what was written stays, reset and reboot come back', {
  skip,
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'viv-disk-'));
  context.after(() => rm(folder, { recursive: true }));
  const disk = join(folder, 'disk.raw');
  await copyFile(assets().guest.disk, disk);
  const devices = [...device(['pvscsi,id=c', 'scsi-hd,bus=c.0,drive=disk0']), ...userNet('vmxnet3')];
  {
    await using machine = await bootTestMachine(assets(), devices, { disk });
    await machine.expect(/vivarium-demo login ready/);
    await logIn(machine);
    machine.type('echo kept > /data/x; reboot\n');
    await machine.expect(/vivarium-demo: stopping/);
    await machine.expect(/vivarium-demo login ready/);
    await machine.qmp('system_powerdown');
    await machine.expect(/vivarium-demo: stopping/, 20_000);
    assert.equal(await machine.ended, 0);
  }
  await using again = await bootTestMachine(assets(), devices, { disk });
  await again.expect(/vivarium-demo login ready/);
  await logIn(again);
  again.type('cat /data/x; echo mar""ker\n');
  assert.match((await again.expect(/([\s\S]*)\nmarker/))[1] ?? '', /\nkept\r?$/);
});

void test('a seed sets name, network, keys and commands; HTTP and SSH answer', { skip }, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'viv-seed-'));
  context.after(() => rm(folder, { recursive: true }));
  const seed = join(folder, 'seed.iso');
  if (hasSsh) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
  else context.diagnostic('no ssh client on this machine: SSH is not tried');
  const key = hasSsh ? (await readFile(join(folder, 'key.pub'), 'utf8')).trim() : 'ssh-ed25519 AAAA nobody';
  const macAddress = '00:50:56:AA:00:01';
  await createSeedIso(
    seed,
    {
      instanceId: 'test-1',
      hostname: 'seeded',
      sshAuthorizedKeys: [key],
      password: "it's secret",
      commands: ["echo 'ran: it' > /dev/console"],
      network: [{ macAddress, addresses: ['10.0.2.77/24'], gateway: '10.0.2.2', nameservers: ['10.0.2.3'] }],
    },
    { runtime: assets().runtime },
  );
  const [http, ssh] = [await freePort(), await freePort()];
  const forward = `,hostfwd=tcp:127.0.0.1:${http}-10.0.2.77:80,hostfwd=tcp:127.0.0.1:${ssh}-10.0.2.77:22`;
  await using machine = await bootTestMachine(assets(), [
    ...device(['pvscsi,id=c', 'scsi-hd,bus=c.0,drive=disk0']),
    ...userNet(`vmxnet3,mac=${macAddress}`, forward),
    ...[
      '-drive',
      `if=none,id=cd,media=cdrom,readonly=on,format=raw,file=${seed}`,
      '-device',
      'ide-cd,drive=cd,bus=ide.1',
    ],
  ]);
  await machine.expect(/IP address: 10\.0\.2\.77 \(eth0\)/);
  await machine.expect(/ran: it/);
  await machine.expect(/seeded login: /);
  const page = await (await fetch(`http://127.0.0.1:${http}/`)).text();
  assert.match(page, /hostname: seeded\nuptime: \d+\.\d+\naddress: 10\.0\.2\.77\/24 \(eth0\)/);
  const options = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'];
  const login = [
    '-i',
    join(folder, 'key'),
    '-p',
    String(ssh),
    ...options,
    'root@127.0.0.1',
    'hostname; cat /etc/resolv.conf',
  ];
  if (hasSsh) assert.equal(execFileSync('ssh', login, { encoding: 'utf8' }), 'seeded\nnameserver 10.0.2.3\n');
  machine.type('root\n');
  await machine.expect(/Password: /);
  machine.type("it's secret\n");
  await machine.expect(/# /);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : assert.fail();
}
