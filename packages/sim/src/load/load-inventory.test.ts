import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { moRef } from '@vivarium/vim';
import { FlagError, parseFlags } from '../flags.ts';
import { startSim } from '../sim.ts';

type Properties = Readonly<Record<string, string>>;

/** As govc writes it: `xsd` is not bound. */
function content(type: string, id: string, properties: Properties): string {
  const sets = Object.entries(properties).map(([name, value]) => `<propSet><name>${name}</name>${value}</propSet>`);
  return `<ObjectContent><obj type="${type}">${id}</obj>${sets.join('')}</ObjectContent>`;
}

function val(type: string, inner: string, attributes = ''): string {
  return `<val xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:type="${type}"${attributes}>${inner}</val>`;
}

const text = (value: string) => val('xsd:string', value);
const ref = (type: string, id: string) => val('ManagedObjectReference', id, ` type="${type}"`);
const within = (type: string, id: string, name: string): Properties => ({ name: text(name), parent: ref(type, id) });

const VM = {
  config: val(
    'VirtualMachineConfigInfo',
    `<name>vm</name><uuid>564d0000-0000-4000-8000-000000000001</uuid><instanceUuid>50000000-0000-4000-8000-000000000001</instanceUuid>
     <guestId>rhel9_64Guest</guestId><annotation>kept</annotation><files><vmPathName>[store] vm/vm.vmx</vmPathName></files>
     <hardware><numCPU>2</numCPU><memoryMB>2048</memoryMB>
       <device x:type="VirtualLsiLogicController"><key>1000</key><busNumber>0</busNumber></device>
       <device x:type="VirtualDisk"><key>2000</key><controllerKey>1000</controllerKey><unitNumber>0</unitNumber><capacityInKB>2048</capacityInKB>
         <backing x:type="VirtualDiskFlatVer2BackingInfo"><fileName>[store] vm/vm-000001.vmdk</fileName><diskMode>persistent</diskMode>
           <parent><fileName>[store] vm/vm.vmdk</fileName></parent></backing></device>
       <device x:type="VirtualTPM"><key>11000</key></device></hardware>`,
  ),
  runtime: val('VirtualMachineRuntimeInfo', '<host type="HostSystem">host-9</host><powerState>poweredOn</powerState>'),
  guest: val('GuestInfo', '<hostName>vm.example</hostName><ipAddress>192.0.2.7</ipAddress>'),
  resourcePool: ref('ResourcePool', 'resgroup-8'),
};

/** The files of a datacenter with one host, and one VM. */
function files(changed: Readonly<Record<string, string | undefined>> = {}): Record<string, string | undefined> {
  const folder = (id: string, name: string) => content('Folder', id, within('Datacenter', 'datacenter-2', name));
  const own = { vmFolder: ref('Folder', 'group-v3'), hostFolder: ref('Folder', 'group-h4') };
  const others = { datastoreFolder: ref('Folder', 'group-s5'), networkFolder: ref('Folder', 'group-n6') };
  const hardware =
    '<systemInfo><model>Big one</model></systemInfo><cpuInfo><numCpuPackages>1</numCpuPackages><numCpuCores>64</numCpuCores><numCpuThreads>128</numCpuThreads><hz>3000000000</hz></cpuInfo><memorySize>549755813888</memorySize>';
  const mount = '<DatastoreHostMount><key type="HostSystem">host-9</key></DatastoreHostMount>';
  return {
    '0000-ServiceInstance-ServiceInstance.xml': 'not looked at',
    '0001-Folder-group-d1.xml': content('Folder', 'group-d1', { name: text('Datacenters') }),
    '0002-Datacenter-datacenter-2.xml': content('Datacenter', 'datacenter-2', {
      ...within('Folder', 'group-d1', 'DC'),
      ...own,
      ...others,
    }),
    '0003-Folder-group-v3.xml': folder('group-v3', 'vm'),
    '0004-Folder-group-h4.xml': folder('group-h4', 'host'),
    '0005-Folder-group-s5.xml': folder('group-s5', 'datastore'),
    '0006-Folder-group-n6.xml': folder('group-n6', 'network'),
    '0007-ComputeResource-domain-s7.xml': content('ComputeResource', 'domain-s7', {
      ...within('Folder', 'group-h4', 'esx'),
      resourcePool: ref('ResourcePool', 'resgroup-8'),
    }),
    '0008-ResourcePool-resgroup-8.xml': content(
      'ResourcePool',
      'resgroup-8',
      within('ComputeResource', 'domain-s7', 'Resources'),
    ),
    '0009-HostSystem-host-9.xml': content('HostSystem', 'host-9', {
      ...within('ComputeResource', 'domain-s7', 'esx'),
      hardware: val('HostHardwareInfo', hardware),
    }),
    '0010-Datastore-datastore-10.xml': content('Datastore', 'datastore-10', {
      ...within('Folder', 'group-s5', 'store'),
      summary: val(
        'DatastoreSummary',
        '<name>store</name><url>ds:///vmfs/volumes/1/</url><capacity>1099511627776</capacity>',
      ),
      host: val('ArrayOfDatastoreHostMount', mount),
    }),
    '0011-VirtualMachine-vm-11.xml': content('VirtualMachine', 'vm-11', {
      ...within('Folder', 'group-v3', 'vm'),
      ...VM,
    }),
    ...changed,
  };
}

/** A simulator of these files; what it said of them. */
async function load(
  context: TestContext,
  saved: Record<string, string | undefined>,
  prepare: (folder: string) => void = () => undefined,
) {
  const folder = mkdtempSync(join(tmpdir(), 'viv-sim-load-'));
  const state = mkdtempSync(join(tmpdir(), 'viv-sim-test-'));
  context.after(() => {
    rmSync(folder, { recursive: true });
    rmSync(state, { recursive: true });
  });
  for (const [name, body] of Object.entries(saved)) if (body !== undefined) writeFileSync(join(folder, name), body);
  prepare(folder);
  const notices: string[] = [];
  const sim = await startSim(parseFlags(['-l', '127.0.0.1:0', '-tls=false', '-load', folder]), {
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    version: '0',
    folder: state,
    progress: () => undefined,
    notice: (line) => void notices.push(line),
  });
  context.after(() => sim.close());
  const { graph } = sim.vpxd.service;
  return {
    graph,
    notices,
    get: (type: 'VirtualMachine', id: string, path: string) => graph.get(moRef(type, id)).getPath(path),
  };
}

void test('a saved VM is there as it was, with what ours can have', async (context) => {
  const { get, graph, notices } = await load(context, files());
  const vm = (path: string) => get('VirtualMachine', 'vm-11', path);
  assert.deepEqual(
    [
      'name',
      'config.uuid',
      'config.instanceUuid',
      'config.guestId',
      'config.annotation',
      'runtime.powerState',
      'guest.hostName',
    ].map(vm),
    [
      'vm',
      '564d0000-0000-4000-8000-000000000001',
      '50000000-0000-4000-8000-000000000001',
      'rhel9_64Guest',
      'kept',
      'poweredOn',
      'vm.example',
    ],
  );
  assert.deepEqual(
    [vm('config.hardware.numCPU'), vm('config.hardware.memoryMB'), vm('config.hardware.device[2000].capacityInKB')],
    [2, 2048, 2048],
  );
  assert.equal(vm('config.hardware.device[2000].backing.fileName'), '[store] vm/vm-000001.vmdk');
  assert.deepEqual(vm('resourcePool'), moRef('ResourcePool', 'resgroup-8'));
  assert.deepEqual(vm('datastore'), [moRef('Datastore', 'datastore-10')]);
  const host = graph.get(moRef('HostSystem', 'host-9'));
  assert.deepEqual(
    [
      'summary.hardware.model',
      'summary.hardware.numCpuCores',
      'summary.hardware.numCpuThreads',
      'summary.hardware.cpuMhz',
      'hardware.memorySize',
    ].map((path) => host.getPath(path)),
    ['Big one', 64, 128, 3000, 549755813888],
  );
  assert.deepEqual(notices, ['not loaded: 1 ServiceInstance', 'left out: 1 VirtualTPM']);
});

void test('an id that vCenter would not give becomes one that is free', async (context) => {
  const saved = files({
    '0011-VirtualMachine-vm-11.xml': content('VirtualMachine', '42', { ...within('Folder', 'group-v3', 'vm'), ...VM }),
  });
  const { graph } = await load(context, saved);
  const [vm] = [...graph.ofType('VirtualMachine')];
  assert.deepEqual([vm?.ref.value, vm?.get('name')], ['vm-11', 'vm']);
});

void test('a template is one, and belongs to no pool of its own', async (context) => {
  const { resourcePool: _none, ...rest } = VM;
  const config = VM.config.replace('<name>', '<template>true</template><name>').replace('vm.vmx', 'vm.vmtx');
  const off = VM.runtime.replace('poweredOn', 'poweredOff');
  const saved = files({
    '0011-VirtualMachine-vm-11.xml': content('VirtualMachine', 'vm-11', {
      ...within('Folder', 'group-v3', 'vm'),
      ...rest,
      config,
      runtime: off,
    }),
  });
  const { get } = await load(context, saved);
  assert.equal(get('VirtualMachine', 'vm-11', 'config.template'), true);
  assert.equal(get('VirtualMachine', 'vm-11', 'config.files.vmPathName'), '[store] vm/vm.vmtx');
});

const WRONG: readonly [what: string, changed: Readonly<Record<string, string | undefined>>, says: RegExp][] = [
  ['no XML', { '0003-Folder-group-v3.xml': '<ObjectContent>' }, /0003-Folder-group-v3\.xml: .*not well-formed/],
  [
    'another document',
    { '0003-Folder-group-v3.xml': '<x/>' },
    /0003-Folder-group-v3\.xml: the document is no ObjectContent/,
  ],
  [
    'an entity bomb',
    { '0003-Folder-group-v3.xml': '<!DOCTYPE a [<!ENTITY b "c">]><ObjectContent/>' },
    /0003-Folder-group-v3\.xml: /,
  ],
  [
    'a folder without a parent',
    { '0003-Folder-group-v3.xml': content('Folder', 'group-v3', { name: text('vm') }) },
    /second folder without a parent/,
  ],
  ['no root', { '0001-Folder-group-d1.xml': undefined }, /no root folder/],
  ['a parent that is not there', { '0004-Folder-group-h4.xml': undefined }, /its parent Folder:group-h4 is in no file/],
  [
    'a host that is not there',
    { '0009-HostSystem-host-9.xml': undefined },
    /0011-VirtualMachine-vm-11\.xml: its host is HostSystem:host-9, which is in no file/,
  ],
  [
    'a datastore that is not there',
    { '0010-Datastore-datastore-10.xml': undefined },
    /does not mount the datastore of \[store\] vm\/vm\.vmx/,
  ],
  [
    'a VM in a folder of hosts',
    {
      '0011-VirtualMachine-vm-11.xml': content('VirtualMachine', 'vm-11', {
        ...within('Folder', 'group-h4', 'vm'),
        ...VM,
      }),
    },
    /cannot be in a folder of a host/,
  ],
  [
    'a name that is a number',
    {
      '0009-HostSystem-host-9.xml': content('HostSystem', 'host-9', {
        ...within('ComputeResource', 'domain-s7', 'esx'),
        name: val('xsd:int', '5'),
      }),
    },
    /name is no string/,
  ],
  [
    'a reference that is a text',
    { '0009-HostSystem-host-9.xml': content('HostSystem', 'host-9', { name: text('esx'), parent: text('domain-s7') }) },
    /parent is no ManagedEntity/,
  ],
  [
    'the same object twice',
    { '0012-Folder-group-v3.xml': content('Folder', 'group-v3', within('Datacenter', 'datacenter-2', 'vm')) },
    /is in another file, too/,
  ],
  [
    'a circle',
    {
      '0012-Folder-group-v30.xml': content('Folder', 'group-v30', within('Folder', 'group-v31', 'a')),
      '0013-Folder-group-v31.xml': content('Folder', 'group-v31', within('Folder', 'group-v30', 'b')),
    },
    /lead round in a circle/,
  ],
];

void test('what is wrong is said in one sentence that names the file', async (context) => {
  for (const [what, changed, says] of WRONG) {
    await assert.rejects(load(context, files(changed)), (error: unknown) => {
      assert.ok(error instanceof FlagError, `${what}: ${String(error)}`);
      assert.match(error.message, says, what);
      assert.doesNotMatch(error.message, /\n/, what);
      return true;
    });
  }
});

void test('nothing but files is opened', async (context) => {
  const linked = load(context, files({ '0003-Folder-group-v3.xml': undefined }), (folder) => {
    symlinkSync('/etc/passwd', join(folder, '0003-Folder-group-v3.xml'));
  });
  await assert.rejects(linked, /Folder:group-v3/);
  await assert.rejects(load(context, {}), /has no objects in it; make it by govc object\.save/);
});
