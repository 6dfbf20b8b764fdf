import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type LicenseAssignmentManagerLicenseAssignment,
  type LicenseManagerLicenseInfo,
  type MoRef,
  moRef,
} from '@vivarium/vim';
import type { Personality } from '../service-instance/well-known.ts';
import { fault, ROOT, testService } from '../testing/test-service.ts';

const EVALUATION = '00000-00000-00000-00000-00000';
const KEY = 'AAAAA-BBBBB-CCCCC-DDDDD-00001';
const OTHER = 'AAAAA-BBBBB-CCCCC-DDDDD-00002';
const HOST = moRef('HostSystem', 'host-1');

async function world(context: TestContext, instance: Personality, directory?: string) {
  const test = await testService(context, { instance, ...(directory ? { directory } : {}) });
  const { graph, content } = test.service;
  graph.add(HOST, { name: 'esx-1', parent: ROOT });
  const manager = content.licenseManager as MoRef<'LicenseManager'>;
  const assignments = graph.get(manager).get('licenseAssignmentManager') as MoRef;
  return {
    ...test,
    manager,
    license: <R = LicenseManagerLicenseInfo>(method: string, args: object) => test.invoke<R>(manager, method, args),
    assignment: <R>(method: string, args: object = {}) => test.invoke<R>(assignments, method, args),
    keys: () =>
      graph
        .get(manager)
        .get('licenses')
        ?.map(({ licenseKey }) => licenseKey),
    labels: (key: string) =>
      graph
        .get(manager)
        .get('licenses')
        ?.find(({ licenseKey }) => licenseKey === key)
        ?.labels?.map((label) => `${label.key}=${label.value}`),
  };
}

const badKey = fault('InvalidArgument', { invalidProperty: 'licenseKey' });

void test('keys are added, labelled and removed; the evaluation is always there', async (context) => {
  const { license, keys, labels } = await world(context, 'VirtualCenter');
  assert.deepEqual(keys(), [EVALUATION]);
  assert.equal(await license<boolean>('CheckLicenseFeature', { featureKey: 'vmotion' }), true);
  const added = await license('AddLicense', { licenseKey: KEY, labels: [{ key: 'team', value: 'cloud' }] });
  assert.deepEqual([added.licenseKey, added.labels?.[0]?.value], [KEY, 'cloud']);
  await license('AddLicense', { licenseKey: KEY });
  assert.deepEqual([keys(), labels(KEY)], [[EVALUATION, KEY], ['team=cloud']]);
  await license('UpdateLicenseLabel', { licenseKey: KEY, labelKey: 'a', labelValue: 'b' });
  await license('UpdateLicenseLabel', { licenseKey: KEY, labelKey: 'team', labelValue: 'net' });
  assert.deepEqual(labels(KEY), ['team=net', 'a=b']);
  await license('UpdateLicenseLabel', { licenseKey: KEY, labelKey: 'team', labelValue: '' });
  await license('RemoveLicenseLabel', { licenseKey: KEY, labelKey: 'a' });
  assert.equal(labels(KEY), undefined);
  await license('UpdateLicenseLabel', { licenseKey: EVALUATION, labelKey: 'a', labelValue: 'b' });
  assert.deepEqual(labels(EVALUATION), ['a=b']);
  for (const licenseKey of ['', 'x', KEY.toLowerCase(), `${KEY}-00000`]) {
    await assert.rejects(license('AddLicense', { licenseKey }), badKey);
    await assert.rejects(license('DecodeLicense', { licenseKey }), badKey);
  }
  assert.equal((await license('DecodeLicense', { licenseKey: OTHER })).editionKey, 'vivarium');
  assert.equal((await license('DecodeLicense', { licenseKey: EVALUATION })).editionKey, 'eval');
  await assert.rejects(license('UpdateLicense', { licenseKey: OTHER }), badKey);
  await assert.rejects(license('UpdateLicenseLabel', { licenseKey: OTHER, labelKey: 'a', labelValue: 'b' }), badKey);
  await license('RemoveLicense', { licenseKey: KEY });
  await license('RemoveLicense', { licenseKey: KEY });
  await assert.rejects(license('RemoveLicense', { licenseKey: EVALUATION }), badKey);
  assert.deepEqual(keys(), [EVALUATION]);
});

void test('a licence is assigned to vCenter and to hosts, and stays so over a restart', async (context) => {
  const first = await world(context, 'VirtualCenter');
  const assigned = async ({ assignment }: typeof first, entityId?: string) =>
    (await assignment<LicenseAssignmentManagerLicenseAssignment[]>('QueryAssignedLicenses', { entityId })).map(
      ({ entityDisplayName, assignedLicense }) => `${entityDisplayName} ${assignedLicense.licenseKey}`,
    );
  assert.deepEqual(await assigned(first, HOST.value), [`esx-1 ${EVALUATION}`]);
  const set = (entity: string, licenseKey: string) => first.assignment('UpdateAssignedLicense', { entity, licenseKey });
  await assert.rejects(set('host-9', KEY), fault('LicenseEntityNotFound', { entityId: 'host-9' }));
  await set(HOST.value, KEY);
  assert.deepEqual(first.keys(), [EVALUATION, KEY]);
  assert.equal(first.service.graph.get(first.manager).get('licenses')?.[1]?.used, 1);
  await assert.rejects(first.license('RemoveLicense', { licenseKey: KEY }), fault('ResourceInUse'));
  await first.stop();
  const second = await world(context, 'VirtualCenter', first.directory);
  assert.deepEqual(await assigned(second), [`esx-1 ${KEY}`]);
  assert.deepEqual(await assigned(second, 'host-9'), []);
  await second.assignment('RemoveAssignedLicense', { entityId: HOST.value });
  assert.deepEqual(await assigned(second), [`esx-1 ${EVALUATION}`]);
  await second.license('RemoveLicense', { licenseKey: KEY });
});

void test('what is assigned to a host that has gone does not hold a key', async (context) => {
  const { service, assignment, license } = await world(context, 'VirtualCenter');
  const gone = moRef('HostSystem', 'host-2');
  service.graph.add(gone, { name: 'esx-2', parent: ROOT });
  await assignment('UpdateAssignedLicense', { entity: 'host-2', licenseKey: KEY });
  service.graph.remove(gone);
  await license('RemoveLicense', { licenseKey: KEY });
});

void test('a host has one licence, which another one replaces', async (context) => {
  const { license, keys } = await world(context, 'HostAgent');
  await license('UpdateLicense', { licenseKey: KEY });
  assert.deepEqual(keys(), [KEY]);
  await license('AddLicense', { licenseKey: OTHER });
  assert.deepEqual(keys(), [OTHER]);
  await license('RemoveLicense', { licenseKey: KEY });
  assert.deepEqual(keys(), [OTHER]);
  await license('RemoveLicense', { licenseKey: OTHER });
  assert.deepEqual(keys(), [EVALUATION]);
  await license('UpdateLicense', { licenseKey: OTHER });
  await license('UpdateLicense', { licenseKey: EVALUATION });
  assert.deepEqual(keys(), [EVALUATION]);
});

void test('who may not change licences does not', async (context) => {
  const { service, manager, call, login } = await world(context, 'VirtualCenter');
  const reader = { principal: 'reader', isGroup: false, roleId: -2, propagate: true };
  await service.authorization.grant(service.rootFolder, [reader]);
  const args = { licenseKey: KEY };
  const attempt = service.invoke({ this: manager, method: 'AddLicense', args }, call(login('reader')));
  await assert.rejects(attempt, fault('NoPermission', { privilegeId: 'Global.Licenses' }));
});
