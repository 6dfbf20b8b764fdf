// The host itself with govc: what it is made of, its services, clock, disks and adapters, its certificate, maintenance mode.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type {
  HostCertificateManagerCertificateInfo,
  HostDateTimeInfo,
  HostService,
  HostStorageDeviceInfo,
  Properties,
} from '@vivarium/vim';
import { useLabHost } from '../testing/use-lab-host.ts';
import { lines, useGovc, withoutGovc } from './use-govc.ts';

describe('govc and the host itself', { skip: withoutGovc }, () => {
  const host = useLabHost();
  const govc = useGovc(host);
  /** The inventory path of the host. */
  const path = async () => lines(await govc('find', '/', '-type', 'h'))[0] ?? '';

  test('host.info tells what the machine is', async () => {
    const said = await govc('host.info');
    assert.match(said, new RegExp(`Logical CPUs: +${cpus().length} CPUs`));
    assert.match(said, /State: +connected/);
    const { hostSystems } = await govc.json<{ hostSystems: Properties<'HostSystem'>[] }>('host.info');
    const [info] = hostSystems;
    assert.equal(info?.hardware?.memorySize ?? info?.summary?.hardware?.memorySize, totalmem());
    assert.equal(info?.summary?.managementServerIp, undefined);
    assert.equal(info?.summary?.runtime?.inMaintenanceMode, false);
  });

  test('object.collect reads every part of it', async () => {
    const collect = async (property: string) =>
      (await govc('object.collect', '-s', 'HostSystem:ha-host', property)).trim();
    assert.equal(await collect('runtime.inMaintenanceMode'), 'false');
    assert.equal(await collect('config.lockdownMode'), 'lockdownDisabled');
    assert.equal(await collect('capability.maintenanceModeSupported'), 'true');
    const thumbprint = await collect('summary.config.sslThumbprint');
    assert.match(thumbprint, /^([0-9A-F]{2}:){19}[0-9A-F]{2}$/);
    const parts = [
      'config',
      'hardware',
      'capability',
      'configManager',
      'systemResources',
      'licensableResource',
      'summary',
    ];
    for (const part of parts) assert.ok((await collect(part)).length > 0, part);
  });

  test('host.service.ls, host.date.info, host.option.ls', async () => {
    const services = await govc.json<HostService[]>('host.service.ls');
    assert.deepEqual(services.map(({ key }) => key).sort(), ['TSM-SSH', 'ntpd']);
    await govc.refused(/not supported/i, 'host.service', 'stop', 'TSM-SSH');
    assert.match(await govc('host.date.info'), /UTC/);
    const time = await govc.json<HostDateTimeInfo & { service: HostService }>('host.date.info');
    assert.equal(time.timeZone.key, 'UTC');
    assert.equal(time.enabled, time.service.running);
    assert.ok(lines(await govc('host.option.ls')).length > 0);
  });

  test('host.storage.info shows the disks of the machine', async () => {
    const { storageDeviceInfo: info } = await govc.json<{ storageDeviceInfo: HostStorageDeviceInfo }>(
      'host.storage.info',
    );
    for (const lun of info.scsiLun ?? []) assert.match(lun.deviceName, /^\/dev\//);
    await govc('host.storage.info', '-rescan');
    await govc('host.storage.info', '-t', 'hba');
    await govc('host.storage.info', '-t', 'lun');
  });

  test('host.vnic.info: one adapter, for management', async () => {
    const { info } = await govc.json<{ info: { device: string; services: string[] }[] }>('host.vnic.info');
    assert.deepEqual(
      info.map(({ device, services }) => [device, services]),
      [['vmk0', ['management']]],
    );
  });

  test('host.cert.*: a certificate, and a signing request for another one', async () => {
    const info = await govc.json<HostCertificateManagerCertificateInfo>('host.cert.info');
    assert.equal(info.status, 'good');
    assert.match(await govc('host.cert.csr'), /^-----BEGIN CERTIFICATE REQUEST-----/);
    assert.match(await govc('host.cert.csr', '-ip'), /^-----BEGIN CERTIFICATE REQUEST-----/);
    const own = await readFile(join(host().hostDir, 'ssl', 'rui.crt'), 'utf8');
    // For its own key, so that it is taken.
    await govc.input(own, 'host.cert.import');
    assert.match(await govc('about.cert', '-k'), /Certificate/);
  });

  test('host.maintenance.enter waits for VMs, keeps them off, and host.maintenance.exit lets them run', async () => {
    await govc.refused(/timed? ?out/i, 'host.maintenance.enter', '-timeout', '2', await path());
    await govc('vm.power', '-off', '-force', 'demo');
    await govc('host.maintenance.enter', await path());
    assert.match(await govc('host.info'), /State: +Maintenance Mode/);
    assert.equal(
      (await govc('object.collect', '-s', 'HostSystem:ha-host', 'runtime.inMaintenanceMode')).trim(),
      'true',
    );
    await govc.refused(/not allowed in the current state|maintenance/i, 'vm.power', '-on', 'demo');
    await govc.refused(/not allowed in the current state|maintenance/i, 'vm.create', '-on=false', 'new');
    await govc('host.maintenance.exit', await path());
    await govc('vm.power', '-on', 'demo');
    const events = await govc('events', await path());
    for (const said of [/started to enter maintenance mode/, /timed out/, /has entered maintenance mode/, /has exited/])
      assert.match(events, said);
  });

  test('host.shutdown is refused: the machine belongs to its owner', async () => {
    await govc.refused(/not supported/i, 'host.shutdown', '-f', await path());
  });
});
