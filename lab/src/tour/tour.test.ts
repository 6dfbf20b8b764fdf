// The tour of the README and the everyday work of three clients that are not ours, end to end on one host.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { moRef } from '@vivarium/vim';
import { govcPath, installGovc } from '../clients/govc.ts';
import { installPyvmomi, PYVMOMI_VERSIONS, pyvmomiPython } from '../clients/pyvmomi.ts';
import { installVirsh } from '../clients/virsh.ts';
import { type RunResult, run } from '../testing/run.ts';
import { useLabHost } from '../testing/use-lab-host.ts';
import { waitFor } from '../testing/wait-for.ts';
import { virshEveryday } from './virsh-everyday.ts';

const govcState = await installGovc();
const DATACENTER = moRef('Datacenter', 'ha-datacenter');
const virshState = await installVirsh();
const missing = (client: { state: string; detail: string }) =>
  client.state === 'installed' ? false : `not run: ${client.detail}`;

describe('the tour', () => {
  const host = useLabHost();

  describe('with govc', { skip: missing(govcState) }, () => {
    const govc = (...args: string[]): Promise<RunResult> => run(govcPath(), args, { env: host().env });
    const ok = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await govc(...args);
      assert.equal(code, 0, `govc ${args.join(' ')}: ${stdout}${stderr}`);
      return stdout;
    };
    const json = async (...args: string[]): Promise<Record<string, unknown>> =>
      JSON.parse(await ok(args[0] ?? '', '-json', ...args.slice(1))) as Record<string, unknown>;

    it('tells who it talks to', async () => {
      assert.match(await ok('about'), /API type: +HostAgent/);
      assert.equal(((await json('about')) as { about: { apiType: string } }).about.apiType, 'HostAgent');
    });

    it('refuses a wrong password and a VM that is not there', async () => {
      const wrong = await run(govcPath(), ['about', '-u', `${host().url}/sdk`], {
        env: { ...host().env, GOVC_PASSWORD: 'wrong' },
      });
      assert.equal(wrong.code, 1);
      assert.match(wrong.stderr, /incorrect user name or password/);
      const absent = await govc('vm.info', '-json', 'no-such-vm');
      assert.match(absent.stdout, /"virtualMachines": ?null|^\{\}/i);
      assert.equal((await govc('vm.power', '-on', 'no-such-vm')).code, 1);
    });

    it('walks the inventory', async () => {
      assert.match(await ok('ls', 'vm'), /\/ha-datacenter\/vm\/demo/);
      assert.match(await ok('find', '/', '-type', 'm'), /\/ha-datacenter\/vm\/demo/);
      assert.match(await ok('tree'), /VM Network/);
      assert.match(await ok('object.collect', '-s', 'vm/demo', 'runtime.powerState'), /poweredOn/);
      for (const command of ['host.info', 'datastore.info', 'host.portgroup.info', 'host.vswitch.info', 'role.ls']) {
        await ok(command);
        await json(command);
      }
      for (const command of [
        'permissions.ls',
        'license.ls',
        'option.ls',
        'session.ls',
        'fields.ls',
        'events',
        'tasks',
      ]) {
        await ok(command);
      }
      assert.match(await ok('pool.info', '*/Resources'), /Mem Limit/);
      await ok('logs');
      await ok('metric.ls', 'vm/demo');
    });

    it('sees the demo guest with its address and host name', async () => {
      const info = (await json('vm.info', 'demo')) as {
        virtualMachines: { guest: { ipAddress: string; hostName: string; toolsRunningStatus: string } }[];
      };
      const guest = info.virtualMachines[0]?.guest;
      assert.match(guest?.ipAddress ?? '', /^\d+\.\d+\.\d+\.\d+$/);
      assert.equal(guest?.hostName, 'vivarium-demo');
      assert.equal(guest?.toolsRunningStatus, 'guestToolsRunning');
      assert.equal((await ok('vm.ip', 'demo')).trim(), guest?.ipAddress);
    });

    it('makes, changes, starts, suspends, resumes and removes a VM', async () => {
      await ok('vm.create', '-m', '128', '-disk', '64MB', '-disk.controller', 'pvscsi', '-on=false', 'web');
      await ok('vm.change', '-vm', 'web', '-m', '256', '-c', '2', '-annotation', 'a note', '-e', 'guestinfo.role=web');
      await ok('vm.disk.create', '-vm', 'web', '-name', 'web/data', '-size', '100M');
      await ok('vm.network.add', '-vm', 'web', '-net', 'VM Network', '-net.adapter', 'e1000e');
      assert.equal((await ok('device.cdrom.add', '-vm', 'web')).trim(), 'cdrom-3000');
      await ok('device.serial.add', '-vm', 'web');
      await ok('device.serial.connect', '-vm', 'web', '-device', 'serialport-9000', '[datastore1] web/serial.log');
      await ok('device.boot', '-vm', 'web', '-order', 'disk', '-delay', '10');
      const devices = await ok('device.ls', '-vm', 'web');
      for (const name of ['pvscsi-1000', 'disk-1000-0', 'disk-1000-1', 'ethernet-1', 'cdrom-3000', 'serialport-9000']) {
        assert.ok(devices.includes(name), devices);
      }
      await ok('vm.power', '-on', 'web');
      const twice = await govc('vm.power', '-on', 'web');
      assert.equal(twice.code, 1);
      assert.match(twice.stdout + twice.stderr, /current state \(Powered on\)/);
      await ok('vm.power', '-reset', 'web');
      await ok('vm.power', '-suspend', 'web');
      assert.match(await ok('vm.info', 'web'), /Power state: +suspended/);
      await ok('vm.power', '-on', 'web');
      await ok('device.disconnect', '-vm', 'web', 'ethernet-0');
      await ok('device.connect', '-vm', 'web', 'ethernet-0');
      await ok('vm.disk.create', '-vm', 'web', '-name', 'web/hot', '-size', '10M');
      await ok('vm.power', '-off', 'web');
      await ok('object.rename', 'vm/web', 'shop');
      await ok('vm.unregister', 'shop');
      await ok('vm.register', 'web/web.vmx');
      await ok('vm.destroy', 'shop');
      assert.doesNotMatch(await ok('ls', 'vm'), /shop|web/);
      // What the guest wrote to its serial port is not a file of the VM: it stays, as on ESXi.
      assert.equal((await ok('datastore.ls', 'web')).trim(), 'serial.log');
      await ok('datastore.rm', 'web');
    });

    it('moves files on the datastore', async () => {
      const local = join(tmpdir(), `viv-tour-${process.pid}`);
      await writeFile(local, 'some bytes');
      try {
        await ok('datastore.mkdir', 'files');
        await ok('datastore.upload', local, 'files/a.iso');
        await ok('datastore.cp', 'files/a.iso', 'files/b.iso');
        await ok('datastore.mv', 'files/b.iso', 'files/c.iso');
        await ok('datastore.download', 'files/c.iso', `${local}.back`);
        assert.equal(await readFile(`${local}.back`, 'utf8'), 'some bytes');
        assert.match(await ok('datastore.ls', 'files'), /a\.iso[\s\S]*c\.iso/);
        await ok('datastore.rm', 'files');
        assert.equal((await govc('datastore.ls', 'files')).code, 1);
        assert.equal((await govc('datastore.download', '../../etc/passwd', '-')).code, 1);
      } finally {
        await rm(local, { force: true });
        await rm(`${local}.back`, { force: true });
      }
    });

    it('takes a picture of the screen, types, and shuts the guest down and starts it again', async () => {
      const picture = join(tmpdir(), `viv-tour-${process.pid}.png`);
      try {
        await ok('vm.console', '-capture', picture, 'demo');
        assert.deepEqual((await readFile(picture)).subarray(1, 4).toString('latin1'), 'PNG');
      } finally {
        await rm(picture, { force: true });
      }
      await ok('vm.keystrokes', '-vm', 'demo', '-s', 'hello');
      await ok('vm.power', '-s', 'demo');
      await waitFor('the guest to shut down', async () => /poweredOff/.test(await ok('vm.info', 'demo')));
      await ok('vm.power', '-on', 'demo');
      assert.match(await ok('vm.ip', '-wait', '120s', 'demo'), /^\d+\./);
    });
  });

  for (const version of PYVMOMI_VERSIONS) {
    it(`pyvmomi ${version} reads, powers off and on, and hears faults as exceptions`, async (t) => {
      const state = await installPyvmomi(version);
      if (state.state !== 'installed') return t.skip(`not run: ${state.detail}`);
      const port = new URL(host().url).port;
      const script = join(import.meta.dirname, 'everyday.py');
      const result = await run(pyvmomiPython(version), [script, port, host().userName, host().password]);
      assert.equal(result.code, 0, result.stdout + result.stderr);
      assert.match(result.stdout, /^done$/m);
    });
  }

  it('virsh lists, describes, stops and starts VMs, and defines one', { skip: missing(virshState) }, async () => {
    await using client = await host().connect();
    const { userName, password, stateDir, url } = host();
    await virshEveryday({ scheme: 'esx', path: '', url, userName, password, stateDir, client, datacenter: DATACENTER });
  });
});
